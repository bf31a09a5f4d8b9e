package remote

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestShape holds the wire to that of the last release: what its programs send and read must stay, unless the protocol
// has another number. Before the first release there is nothing to hold.
func TestShape(t *testing.T) {
	t.Parallel()
	now, err := os.ReadFile("shape.txt")
	if err != nil {
		t.Fatal(err)
	}
	release, before, err := released(t, "..")
	if err != nil {
		t.Fatal(err)
	}
	if release == "" {
		t.Log("CHANGELOG.md has no release")
		return
	}
	for _, broken := range incompatible(before, string(now)) {
		t.Errorf("a crm %s does not get along with this: %s; it needs another protocol number in tools/remote", release, broken)
	}
}

// released returns the last release of a checkout and the shape of its wire. That is a file with the release's number, which
// is also in a clone without tags and in an archive; where the release's tag is there, the file has to be what the tag has.
func released(t *testing.T, root string) (release, shape string, err error) {
	t.Helper()
	changes, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return "", "", err
	}
	if headings := regexp.MustCompile(`(?m)^## \[(\d[^]]*)\]`).FindSubmatch(changes); headings != nil {
		release = string(headings[1])
	}
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", root, "-c", "versionsort.suffix=-"}, args...)...).Output()
		return string(out), err
	}
	// A failure is an archive without a history, or a machine without git.
	if tags, err := git("tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-version:refname"); err == nil && tags != "" {
		tag, _, _ := strings.Cut(tags, "\n")
		if release == "" { // it was not made as releases are, which takes a section
			return "", "", fmt.Errorf("CHANGELOG.md has no section of %s", tag)
		}
		if tagged, err := git("show", tag+":remote/shape.txt"); err == nil {
			release = strings.TrimPrefix(tag, "v")
			if copied, err := os.ReadFile(copyOf(root, release)); err != nil || string(copied) != tagged {
				return "", "", fmt.Errorf("git show %s:remote/shape.txt >%s, and commit it", tag, copyOf("", release))
			}
		}
	}
	if release == "" {
		return "", "", nil
	}
	copied, err := os.ReadFile(copyOf(root, release))
	if err != nil {
		return "", "", fmt.Errorf("the shape of release %s is kept with it: cp remote/shape.txt %s (%w)", release, copyOf("", release), err)
	}
	return release, string(copied), nil
}

func copyOf(root, release string) string {
	return filepath.Join(root, "remote", "testdata", "shape-"+release+".txt")
}

func TestReleased(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		identity := []string{"-C", root, "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"}
		if out, err := exec.Command("git", append(identity, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %s", args, out)
		}
	}
	expect := func(when, wantRelease, wantShape, wantError string) {
		t.Helper()
		release, shape, err := released(t, root)
		if release != wantRelease || shape != wantShape || (err == nil) != (wantError == "") || err != nil && !strings.Contains(err.Error(), wantError) {
			t.Errorf("%s: %q, %q, %v", when, release, shape, err)
		}
	}
	commit := func(tag string) {
		t.Helper()
		git("add", "-A")
		git("commit", "-q", "-m", "x")
		git("tag", tag)
	}
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n")
	expect("no release", "", "", "")
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.9.0] - 2026-12-01\n\n## [1.8.0] - 2026-11-30\n")
	expect("a release whose shape was not kept", "", "", "cp remote/shape.txt")
	write("remote/shape.txt", "protocol 1\nA > x int64\n")
	write("remote/testdata/shape-1.9.0.txt", "protocol 1\nA > x int64\n")
	expect("no tags, as in an archive", "1.9.0", "protocol 1\nA > x int64\n", "")
	git("init", "-q")
	commit("v1.9.0")
	expect("a tag", "1.9.0", "protocol 1\nA > x int64\n", "")
	write("remote/shape.txt", "protocol 2\n")
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.10.0] - 2026-12-01\n\n## [1.9.0] - 2026-12-01\n")
	commit("v1.10.0")
	expect("a newer tag whose shape was not kept", "", "", "git show v1.10.0:remote/shape.txt")
	write("remote/testdata/shape-1.10.0.txt", "protocol 2\n")
	expect("a newer tag", "1.10.0", "protocol 2\n", "")
	git("tag", "v1.10.0-rc1")
	expect("a candidate for it", "1.10.0", "protocol 2\n", "")
	write("remote/testdata/shape-1.10.0.txt", "protocol 2\nB < string\n")
	expect("a shape that was changed afterwards", "", "", "git show v1.10.0:remote/shape.txt")
	write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n")
	expect("a tag without a section", "", "", "no section of v1.10.0")
}

// incompatible returns the lines that programs of before do not get along with.
func incompatible(before, now string) []string {
	old, new := strings.Split(strings.TrimSpace(before), "\n"), strings.Split(strings.TrimSpace(now), "\n")
	if old[0] != new[0] {
		return nil
	}
	var broken []string
	known := map[string]bool{}
	for _, line := range old {
		known[strings.Fields(line)[0]] = true
		if !slices.Contains(new, line) && !strings.HasSuffix(line, "nothing") {
			broken = append(broken, "gone: "+line)
		}
	}
	for _, line := range new {
		words := strings.Fields(line)
		if !slices.Contains(old, line) && known[words[0]] && words[1] == ">" && !strings.HasSuffix(line, "?") && !strings.HasSuffix(line, "nothing") {
			broken = append(broken, "has to be sent: "+line)
		}
	}
	return broken
}

func TestIncompatible(t *testing.T) {
	t.Parallel()
	const before = "protocol 1\nA > x int64\nA << id uuid\nB > nothing\nB < string\n"
	for now, want := range map[string]string{
		before: "",
		before + "A << name string\nA > y int64?\nC > z int64\n": "",
		strings.Replace(before, "id uuid", "id string", 1):       "gone: A << id uuid",
		strings.Replace(before, "A > x int64\n", "", 1):          "gone: A > x int64",
		before + "A > y int64\n":                                 "has to be sent: A > y int64",
		strings.Replace(before, "B > nothing", "B > y int64", 1): "has to be sent: B > y int64",
		strings.Replace(before, "B < string", "B < nothing", 1):  "gone: B < string",
		"protocol 2\nA > y int64\n":                              "",
	} {
		if got := strings.Join(incompatible(before, now), "; "); got != want {
			t.Errorf("%s%q, want %q", now, got, want)
		}
	}
}
