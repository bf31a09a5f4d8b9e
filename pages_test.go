package main

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages returns every page of the repository by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasPrefix(path, ".") && path != "." && path != ".github" {
			return fs.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".md" {
			texts[filepath.ToSlash(path)] = read(t, path)
		}
		return err
	})
	if err != nil || len(texts) < 8 {
		t.Fatal(len(texts), err)
	}
	return texts
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fences are the fenced blocks of a page: a word and more behind the fence, then the text.
var fences = regexp.MustCompile("(?ms)^ *```(\\S*) ?([^\n]*)\n(.*?)^ *```$")

// TestLinks has every link between pages, and from a page to a file, lead somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for page, text := range pages(t) {
		for _, link := range links.FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which is not there", page, link[1])
			} else if anchor != "" && !hasHeading(read(t, file), anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", page, link[1], file)
			}
		}
	}
}

// hasHeading reports whether a page has the heading that GitHub gives this anchor.
func hasHeading(text, anchor string) bool {
	unspoken := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		if strings.ReplaceAll(unspoken.ReplaceAllString(strings.ToLower(heading[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}

// TestQuotes holds what a page quotes to what stands in the file. A block that begins with the name of a file, as in
// ```sql queries/contract.sql, quotes it: the lines between two lines of "..." follow each other there, and the parts come
// in this order.
func TestQuotes(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for _, block := range fences.FindAllStringSubmatch(text, -1) {
			file, quoted := block[2], block[3]
			if file == "" {
				continue
			}
			rest := unindented(read(t, file))
			for part := range strings.SplitSeq("\n"+quoted, "\n...\n") {
				_, after, found := strings.Cut(rest, unindented(part))
				if !found {
					t.Errorf("%s quotes %s, which does not have:\n%s", page, file, part)
				}
				rest = "\n" + after
			}
		}
	}
}

// unindented is a text without what its lines begin with, and without empty lines at its ends.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return "\n" + strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// TestHouse holds ARCHITECTURE.md to the repository: its picture has each package, below what that imports, and no folder
// that is not there; and what the page names in code exists: folders and files, functions, tests, types and queries.
func TestHouse(t *testing.T) {
	t.Parallel()
	const page = "ARCHITECTURE.md"
	text := read(t, page)
	picture := fences.FindStringSubmatch(text)
	if picture == nil || picture[1] != "text" {
		t.Fatal(page, " has no picture")
	}
	var drawn []string
	for _, line := range regexp.MustCompile(`(?m)^(\S+/)\s`).FindAllStringSubmatch(picture[3], -1) {
		drawn = append(drawn, strings.TrimSuffix(line[1], "/"))
		if info, err := os.Stat(line[1]); err != nil || !info.IsDir() {
			t.Errorf("%s draws %s, which is no folder", page, line[1])
		}
	}
	var code strings.Builder
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir():
			pkg, notGo := build.ImportDir(path, 0)
			if _, empty := notGo.(*build.NoGoError); empty || path == "." {
				return nil
			}
			place := slices.Index(drawn, filepath.ToSlash(path))
			if place < 0 {
				t.Errorf("%s does not draw %s", page, path)
			}
			for _, name := range pkg.Imports {
				own, isOwn := strings.CutPrefix(name, "github.com/epicevents/crm/")
				if isOwn && slices.Index(drawn, own) > place {
					t.Errorf("%s imports %s, which %s draws below it", path, own, page)
				}
			}
		case path != "pages_test.go" && slices.Contains([]string{".go", ".sql"}, filepath.Ext(path)):
			code.WriteString(read(t, path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{"TestLinks": true, "TestQuotes": true, "TestHouse": true}
	for _, word := range regexp.MustCompile(`\w+`).FindAllString(code.String(), -1) {
		words[word] = true
	}
	for _, named := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(fences.ReplaceAllString(text, ""), -1) {
		name := named[1]
		switch {
		case strings.Contains(name, " ") || strings.HasPrefix(name, "-"):
		case strings.ContainsAny(name, "/."):
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s names %s, which is not there", page, name)
			}
		case !words[name]:
			t.Errorf("%s names %s, which is in no code", page, name)
		}
	}
}
