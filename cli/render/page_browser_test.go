//go:build browser

package render

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// browse has Chromium open a page, without a network, and returns what it writes: to stdout, or into the file.
func browse(t *testing.T, page []byte, file string, flags ...string) []byte {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && program == "" {
			program = path
		}
	}
	if program == "" {
		t.Fatal("Chromium is needed for this test: apt-get install -y --no-install-recommends chromium")
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "report.html")
	if err := os.WriteFile(path, page, 0o600); err != nil {
		t.Fatal(err)
	}
	if file != "" {
		file = filepath.Join(folder, file)
		flags = append(flags, fmt.Sprintf("--%s=%s", map[string]string{".png": "screenshot", ".pdf": "print-to-pdf"}[filepath.Ext(file)], file))
	}
	// Whatever the page wanted to load would be asked of a proxy that is not there, and be told.
	command := exec.Command(program, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-pdf-header-footer",
		"--user-data-dir=" + filepath.Join(folder, "profile"), "--proxy-server=127.0.0.1:1", "file://" + path}, flags...)...)
	var out, said bytes.Buffer
	command.Stdout, command.Stderr = &out, &said
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if file == "" {
		return out.Bytes()
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	return written
}

// TestPageInBrowser opens a report of awkward names in Chromium: as text and elements, on a screen and a telephone, in the
// dark, and on paper.
func TestPageInBrowser(t *testing.T) {
	var rows []pageRowOfTest
	for i := range 60 {
		rows = append(rows, pageRowOfTest{fmt.Sprintf(`<script>alert(%d)</script> "& Cie' un nom très très long pour une étroite page`, i), int64(i), 123456789 * int64(60-i)})
	}
	page := pageOfTest(t, rows)
	elements := string(browse(t, page, "", "--dump-dom"))
	for element, want := range map[string]int{
		"<script": 0, "<img": 0, "<link": 0, `<rect class="bar"`: chartMost, "<svg": 1, "<desc": 1, "<tr>": 62, "&lt;script&gt;": 60 + chartMost + 1,
	} {
		if n := strings.Count(elements, element); n != want {
			t.Errorf("%d of %s, want %d", n, element, want)
		}
	}
	for name, c := range map[string]struct {
		width int
		flag  string
		paper color.RGBA
	}{
		"screen":    {1000, "--blink-settings=preferredColorScheme=1", color.RGBA{255, 255, 255, 255}},
		"telephone": {390, "--blink-settings=preferredColorScheme=1", color.RGBA{255, 255, 255, 255}},
		"dark":      {800, "--blink-settings=preferredColorScheme=0", color.RGBA{0x15, 0x18, 0x1c, 255}},
	} {
		picture, err := png.Decode(bytes.NewReader(browse(t, page, "report.png", c.flag, fmt.Sprintf("--window-size=%d,900", c.width))))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[color.RGBA]bool{}
		for y := range 900 {
			for _, x := range []int{2, 8, c.width - 8, c.width - 2} { // the margins
				if got := color.RGBAModel.Convert(picture.At(x, y)); got != c.paper {
					t.Fatalf("%s: there is something in the margin at %d, %d: %v", name, x, y, got)
				}
			}
			for x := range c.width {
				seen[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)] = true
			}
		}
		if len(seen) < 20 {
			t.Errorf("%s: %d colours are no text and no chart", name, len(seen))
		}
	}
	paper := browse(t, page, "report.pdf")
	if sheets := len(regexp.MustCompile(`/Type /Page\b`).FindAll(paper, -1)); sheets < 2 || sheets > 5 {
		t.Errorf("%d sheets of paper", sheets)
	}
	if !regexp.MustCompile(`MediaBox \[0 0 59[45][.0-9]* 84[12][.0-9]*\]`).Match(paper) {
		t.Error("the paper is not A4")
	}
}
