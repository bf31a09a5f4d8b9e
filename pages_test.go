package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
