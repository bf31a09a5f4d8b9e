package remote

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestCrowd: who says nothing gives way to whoever comes, and who is being answered does not. The server has no limit of
// time, so that nothing else could end a connection.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const most = 3
	socket := socketIn(t)
	inner, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	crowd := newCrowd(most)
	_, listener, err := Listener{Listener: inner}.open(crowd)
	if err != nil {
		t.Fatal(err)
	}
	arrived, goOn := make(chan struct{}), make(chan struct{})
	server := &http.Server{ConnState: crowd.note, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			arrived <- struct{}{}
			<-goOn
		}
		_, _ = io.WriteString(w, "ok")
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	// get asks over a connection of its own, which it keeps.
	get := func(path string) error {
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) }}
		t.Cleanup(transport.CloseIdleConnections)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://crm"+path, nil)
		if err != nil {
			return err
		}
		response, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.ReadAll(response.Body)
		return err
	}
	answers := make(chan error)
	busy := func() {
		go func() { answers <- get("/busy") }()
		<-arrived
	}
	release := func() {
		t.Helper()
		goOn <- struct{}{}
		if err := <-answers; err != nil {
			t.Errorf("one that was being answered: %v", err)
		}
	}
	busy()
	for range 5 * most {
		silent, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	if err := get("/"); err != nil {
		t.Errorf("among those who say nothing: %v", err)
	}
	if err := get("/"); err != nil {
		t.Errorf("beside one that keeps its connection: %v", err)
	}
	busy()
	busy()
	waiting := make(chan error)
	go func() { waiting <- get("/") }()
	release() // whose client keeps its connection
	if err := <-waiting; err != nil {
		t.Errorf("one that waited for a place: %v", err)
	}
	release()
	release()
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != http.ErrServerClosed && !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
}
