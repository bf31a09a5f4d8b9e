// Command wire sends SQL statements to a server in one round trip and prints their rows: what a Go program cannot do
// without, which is a start, a connection and the server's work. Its arguments are the server's URL and the statements.
//
// It must never check, convert or format anything: what crm takes longer than this is crm's own.
package main

import (
	"bufio"
	"context"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgconn"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: wire URL STATEMENT...")
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal("wire: ", err)
	}
}

func run(ctx context.Context, url string, statements []string) error {
	conn, err := pgconn.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	batch := &pgconn.Batch{}
	for _, statement := range statements {
		batch.ExecParams(statement, nil, nil, nil, nil)
	}
	results := conn.ExecBatch(ctx, batch)
	out := bufio.NewWriter(os.Stdout)
	for results.NextResult() {
		rows := results.ResultReader()
		for rows.NextRow() {
			for _, value := range rows.Values() {
				out.Write(value)
				out.WriteByte('\t')
			}
			out.WriteByte('\n')
		}
		if _, err := rows.Close(); err != nil {
			return err
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	return out.Flush()
}
