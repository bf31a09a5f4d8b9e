// Command floor sends one request to a server of crm over its socket and prints the answer: what a Go program cannot do
// without that speaks HTTP, which is a start, a connection and the server's work. Its arguments are the socket, the
// operation and its parameters; the token is in $CRM_TOKEN.
//
// It must never read or check the answer: what crm takes longer than this is crm's own.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: floor SOCKET OPERATION PARAMETERS")
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal("floor: ", err)
	}
}

func run(socket, operation, params string) error {
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	r, err := http.NewRequest(http.MethodPost, "http://crm/v1/"+operation, strings.NewReader(params))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+os.Getenv("CRM_TOKEN"))
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", answer.Status)
	}
	return nil
}
