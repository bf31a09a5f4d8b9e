//go:build unix

// Command container provides a go test with a PostgreSQL in a container: it starts one, or finds the one that another
// test program of the same go test has started, says where it is, and stays until it has removed what it started.
//
//	container IMAGE PID     prints URL ENGINE
//
// The container belongs to the process PID, and is removed when that is gone, however it ended. This is a program of its
// own to outlive the test programs, and so that they, each of which is also the crm of the stories, link no Docker
// client. Ryuk, with which testcontainers does the same, would be a second image to have, and removes what several
// programs share as soon as none of them runs.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/shirou/gopsutil/v4/process"
	"github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
)

const (
	startTime  = 5 * time.Minute  // the image may have to be pulled
	removeTime = 10 * time.Minute // the engine may be restarting

	starter = "crm.test.starter" // label that names the run of this program that started the container
)

func main() {
	log.SetFlags(0)
	// What ends the tests, such as Ctrl-C, comes here too.
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	if err := os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true"); err != nil {
		log.Fatal(err)
	}
	tclog.SetDefault(tclog.NewNoopLogger())
	if len(os.Args) != 3 {
		log.Fatal("usage: container IMAGE PID")
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve(image, owner string) error {
	pid, err := strconv.Atoi(owner)
	if err != nil {
		return err
	}
	tests, err := os.FindProcess(pid) // holds the process itself, not a number that another may get
	if err != nil {
		return err
	}
	name, err := nameFor(pid)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	engine, err := findEngine(ctx)
	if err != nil {
		return err
	}
	me := rand.Text()
	server, err := start(ctx, name, image, me)
	mine := isStartedBy(server, me)
	if mine {
		defer remove(server)
	}
	if err != nil {
		return err
	}
	address, err := server.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return err
	}
	if err := waitFor(ctx, server, address); err != nil {
		return err
	}
	fmt.Println(address, engine)
	for mine && !errors.Is(tests.Signal(syscall.Signal(0)), os.ErrProcessDone) {
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// nameFor returns a name that no other process has, not even one of another machine that uses the same engine.
func nameFor(pid int) (string, error) {
	owner, err := process.NewProcess(int32(pid))
	if err != nil {
		return "", err
	}
	since, err := owner.CreateTime()
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("crm-test-%x", sha256.Sum256(fmt.Append(nil, host, pid, since)))[:24], nil
}

// findEngine says what engine there is. It refuses one that was not asked for: testcontainers goes on to look in the
// usual places when the one of DOCKER_HOST does not answer.
func findEngine(ctx context.Context) (string, error) {
	engine, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return "", fmt.Errorf("no Docker engine answers: %w", err)
	}
	defer engine.Close()
	if wanted := os.Getenv("DOCKER_HOST"); wanted != "" && engine.DaemonHost() != wanted {
		return "", fmt.Errorf("no Docker engine answers at DOCKER_HOST=%s", wanted)
	}
	answer, err := engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return "", err
	}
	return "Docker " + answer.Info.ServerVersion, nil
}

// start may give a container with an error too.
func start(ctx context.Context, name, image, me string) (*postgres.PostgresContainer, error) {
	return postgres.Run(ctx, image,
		testcontainers.WithReuseByName(name),
		testcontainers.WithLabels(map[string]string{starter: me}),
		postgres.WithPassword(rand.Text()), // the port may be open to others
		testcontainers.WithEnv(map[string]string{"PGDATA": "/data/postgres"}),
		testcontainers.WithTmpfs(map[string]string{"/data": ""}),
		testcontainers.WithCmd("postgres", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
			"-c", "autovacuum=off", "-c", "jit=off", "-c", "max_connections=200"),
		// If the engine is stopped, nothing is left when it comes back.
		testcontainers.WithHostConfigModifier(func(config *container.HostConfig) { config.AutoRemove = true }),
	)
}

// waitFor returns when connections are taken. The images listen only once they have made their cluster.
func waitFor(ctx context.Context, server *postgres.PostgresContainer, address string) error {
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn.Close(ctx)
		}
		if state, stateErr := server.State(ctx); stateErr != nil || !state.Running {
			return fmt.Errorf("the container has ended: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func isStartedBy(server *postgres.PostgresContainer, me string) bool {
	if server == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	seen, err := server.Inspect(ctx)
	return err == nil && seen.Config.Labels[starter] == me
}

// remove tries again as long as the engine does not answer. What the engine removes itself counts as removed.
func remove(server *postgres.PostgresContainer) {
	ctx, cancel := context.WithTimeout(context.Background(), removeTime)
	defer cancel()
	for testcontainers.TerminateContainer(server, testcontainers.StopContext(ctx), testcontainers.StopTimeout(0)) != nil && ctx.Err() == nil {
		time.Sleep(time.Second)
	}
}
