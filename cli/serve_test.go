package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeIsToldWhere: a server that is told nowhere to listen is refused before a local database is made for it.
func TestServeIsToldWhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	var stderr strings.Builder
	code := Run(t.Context(), []string{"serve"}, IO{In: strings.NewReader(""), Out: io.Discard, Err: &stderr, Getenv: func(name string) string {
		return map[string]string{"HOME": home}[name]
	}})
	if code != 2 || !strings.Contains(stderr.String(), "neither serve.socket nor serve.listen") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
	if _, err := os.Stat(filepath.Join(home, ".local")); err == nil {
		t.Error("something was made in " + home)
	}
}
