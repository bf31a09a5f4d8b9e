package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/peterbourgon/ff/v3/ffcli"

	"github.com/epicevents/crm/cli/backend"
	"github.com/epicevents/crm/cli/command"
	"github.com/epicevents/crm/cli/render"
	"github.com/epicevents/crm/cli/text"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/localdb"
	"github.com/epicevents/crm/service"
)

// health is what came of one check.
type health string

const (
	healthOK      health = "ok"
	healthWarning health = "warning" // crm works, but somebody should look at it
	healthFailed  health = "failed"  // crm does not work, or refuses to
)

// finding is one check of the doctor: what it found, and what to do about it.
type finding struct {
	Check   string  `json:"check"`
	Status  health  `json:"status"`
	Finding string  `json:"finding"`
	Advice  *string `json:"advice"`
}

var diagnosis = render.Resource[finding]{
	Name: "diagnosis", Title: "Doctor", Hue: render.Blue,
	Looks: []render.Look{
		{Column: "check", Whole: true},
		{Column: "status", Whole: true},
		{Column: "finding", Wraps: true},
		{Column: "advice", Wraps: true},
	},
	Marks: []render.Mark[finding]{
		{Tone: render.Wrong, Columns: []string{"status"}, When: func(f finding) bool { return f.Status != healthOK }},
	},
}

func (a *app) doctorCommand() *ffcli.Command {
	c := a.Command("doctor", "check the configuration, the database, the clock, the files' modes and more, and say what to do").
		WithoutSettings().Examples(
		"crm doctor",
		`crm doctor -o json | jq -r '.[] | select(.status != "ok") | .advice'`,
	)
	fields := command.FieldsFlag(c, diagnosis)
	return c.Does(func(ctx context.Context) error {
		e := &examination{app: a}
		e.configuration()
		if a.IsRemote() {
			e.server(ctx)
		} else {
			e.signing()
			e.databases(ctx)
		}
		if a.IsLocal() && !e.mayBeUnread("database.url") {
			e.localFiles()
		}
		e.tokenFiles()
		e.zone()
		e.tracing(ctx)
		if !a.IsRemote() {
			e.directMode()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		o := a.Output()
		o.Fields = fields.Got
		show := func() error { return render.List(o, diagnosis, command.Rows(e.rows)) }
		if o.Format == "table" && !fields.Set {
			show = func() error { return render.WriteOut(o.Out, checklist(e.rows, o.Width)) }
		}
		if err := show(); err != nil {
			return err
		}
		return e.verdict()
	})
}

// checklist is a line for each check, with a mark, and what to do below it: findings have paths in them, which in the cells
// of a table would be broken.
func checklist(rows []finding, width int) string {
	marks := map[health]string{healthOK: "✓", healthWarning: "!", healthFailed: "✗"}
	longest := 0
	for _, f := range rows {
		longest = max(longest, len(f.Check))
	}
	hanging := len("! ") + longest + len("  ")
	var b strings.Builder
	line := func(s string) { b.WriteString(text.Wrap(text.Escape(s), width, hanging, text.KeepLong) + "\n") }
	for _, f := range rows {
		line(fmt.Sprintf("%s %-*s  %s", marks[f.Status], longest, f.Check, f.Finding))
		if f.Advice != nil {
			line(strings.Repeat(" ", hanging) + "→ " + *f.Advice)
		}
	}
	return b.String()
}

// examination collects findings. A check that fails never keeps the next ones from being made, and none changes
// anything: no file is written and no server started.
type examination struct {
	*app
	rows []finding
}

func (e *examination) add(check string, status health, advice, format string, values ...any) {
	f := finding{Check: check, Status: status, Finding: fmt.Sprintf(format, values...)}
	if advice != "" {
		f.Advice = &advice
	}
	e.rows = append(e.rows, f)
}

func (e *examination) addError(check string, err error) {
	problem := describe(context.Background(), err)
	e.add(check, healthFailed, problem.Hint, "%s", problem.Message)
}

// verdict is an error when a check failed.
func (e *examination) verdict() error {
	var names []string
	advice := ""
	for _, f := range e.rows {
		if f.Status != healthFailed {
			continue
		}
		names = append(names, f.Check)
		if advice == "" && f.Advice != nil {
			advice = *f.Advice
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &failure.Error{Code: failure.Unavailable,
		Message: fmt.Sprintf("%d of %d checks failed: %s.", len(names), len(e.rows), strings.Join(names, ", ")), Hint: advice}
}

// The checks that need a connection.
const (
	checkDatabase   = "database"
	checkEncryption = "encryption"
	checkServer     = "server"
	checkSettings   = "settings"
	checkSchema     = "schema"
	checkRights     = "rights"
	checkRules      = "rules"
	checkClock      = "clock"
)

func (e *examination) databases(ctx context.Context) {
	pool := e.reach(ctx)
	if e.mayBeUnread("database.url") {
		e.add(checkEncryption, healthWarning, "", "not known: the database is not")
	} else if e.IsLocal() {
		e.add(checkEncryption, healthOK, "", "not needed: the local database listens on a Unix socket only")
	} else if config, err := e.ConnConfig(); err == nil {
		e.encryption(config)
	}
	if pool == nil {
		e.add(checkSettings, healthWarning, "", "not known: the database was not reached")
		e.add(checkSchema, healthWarning, "", "not known: the database was not reached")
		e.add(checkRights, healthWarning, "", "not known: the database was not reached")
		e.add(checkRules, healthWarning, "", "not known: the database was not reached")
		e.add(checkClock, healthWarning, "", "not known: the database was not reached")
		return
	}
	svc := e.ServiceOn(pool)
	if err := svc.Fit(ctx); err != nil {
		e.addError(checkSettings, err)
	} else if logs, err := svc.LogsParameters(ctx); err == nil && logs {
		e.add(checkSettings, healthWarning, "have a superuser run: ALTER ROLE ... SET log_parameter_max_length = 0, for the user in database.url",
			"the server writes the parameters of statements into its log, hashes of passwords and phone numbers among them")
	} else {
		e.add(checkSettings, healthOK, "", "encoding, search path and extension are as crm needs them")
	}
	if version, err := svc.CheckVersion(ctx); err != nil {
		e.addError(checkSchema, err)
		e.add(checkRights, healthWarning, "", "not known: the schema is of another version")
		e.add(checkRules, healthWarning, "", "not known: the schema is of another version")
	} else {
		e.add(checkSchema, healthOK, "", "version %d, as this crm needs", version)
		e.rights(ctx, svc)
		e.rules(ctx, svc)
	}
	e.clock(ctx, svc)
}

// rights reports whether crm connects as the owner of the schema, who may do everything, or as a role that may do what crm
// needs.
func (e *examination) rights(ctx context.Context, svc *service.Service) {
	rights, err := svc.Rights(ctx)
	switch {
	case err != nil:
		e.addError(checkRights, err)
	case rights.Boundless != "":
		e.add(checkRights, healthOK, "", "crm connects as %s, which %s and so may do everything", rights.Role, rights.Boundless)
	case len(rights.Missing) > 0:
		e.add(checkRights, healthFailed, "as "+rights.Owner+": crm db grant "+rights.Role, "crm connects as %s, which lacks %s", rights.Role, firstOf(rights.Missing))
	case len(rights.Excess) > 0:
		e.add(checkRights, healthWarning, "as "+rights.Owner+": crm db grant "+rights.Role, "crm connects as %s, which may do more than crm needs: %s", rights.Role, firstOf(rights.Excess))
	default:
		e.add(checkRights, healthOK, "", "crm connects as %s, which owns nothing and may do what crm needs", rights.Role)
	}
}

// rules compares the schema with what the migrations make.
func (e *examination) rules(ctx context.Context, svc *service.Service) {
	differences, err := svc.SchemaDifferences(ctx)
	if err != nil {
		e.addError(checkRules, err)
		return
	}
	if len(differences) == 0 {
		e.add(checkRules, healthOK, "", "every rule of the schema is there and on")
		return
	}
	named := make([]string, len(differences))
	for i, d := range differences {
		named[i] = d.String()
	}
	const advice = "undo what somebody changed by SQL, or make the schema anew: crm db backup FILE, then crm db restore FILE"
	e.add(checkRules, healthFailed, advice, "%s", firstOf(named))
}

// mayBeUnread reports whether a setting may be in the configuration file, which could not be read.
func (e *examination) mayBeUnread(key string) bool {
	return e.Config.FileUnusable && e.Config.Source[key] == ""
}

// server asks the server that has the database: the rest is for its host to look at.
func (e *examination) server(ctx context.Context) {
	client, err := e.Client()
	if err != nil {
		e.addError(checkServer, err)
		return
	}
	ready, err := client.Ready(ctx)
	if err != nil {
		e.addError(checkServer, err)
		return
	}
	e.add(checkServer, healthOK, "", "%s, crm %s, schema version %d", e.Config.ServerURL, ready.Version, ready.Schema)
}

// reach connects to a database that runs; one that does not is told.
func (e *examination) reach(ctx context.Context) *pgxpool.Pool {
	if e.mayBeUnread("database.url") {
		e.add(checkDatabase, healthWarning, "", "not known: it may be in the configuration that cannot be used")
		return nil
	}
	if e.IsLocal() && !e.localRuns(ctx) {
		return nil
	}
	pool, err := e.app.Reach(ctx)
	if err != nil {
		e.addError(checkDatabase, err)
		return nil
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		e.addError(checkDatabase, err)
		return nil
	}
	defer conn.Release()
	where := "local, in " + e.Cluster().Dir()
	if !e.IsLocal() {
		config, err := e.ConnConfig()
		if err != nil {
			e.addError(checkDatabase, err)
			return nil
		}
		where = backend.Location(config)
	}
	server := conn.Conn().PgConn()
	where += ", PostgreSQL " + server.ParameterStatus("server_version")
	switch {
	case server.ParameterStatus("in_hot_standby") == "on":
		e.add(checkDatabase, healthWarning, "name the primary in database.url, or all of them: postgres://user@one,two/crm", "%s, a standby: it only accepts reads", where)
	case server.ParameterStatus("default_transaction_read_only") == "on":
		e.add(checkDatabase, healthWarning, "default_transaction_read_only = off, for the database, the role, or in database.url", "%s, which only accepts reads", where)
	default:
		e.add(checkDatabase, healthOK, "", "%s", where)
	}
	return pool
}

// localRuns reports whether the local database runs. One that does not is started by the next command, if the programs for
// it are there.
func (e *examination) localRuns(ctx context.Context) bool {
	cluster := e.Cluster()
	status, err := cluster.Status(ctx)
	if err == nil && status.State != localdb.Running {
		_, err = cluster.Program(ctx, "postgres")
	}
	switch {
	case err != nil:
		e.addError(checkDatabase, err)
	case status.State == localdb.Absent:
		e.add(checkDatabase, healthWarning, "crm db start", "local, and not made yet; it will be in %s", status.Dir)
	case status.State == localdb.Stopped:
		e.add(checkDatabase, healthWarning, "crm db start", "local, in %s, and stopped", status.Dir)
	default:
		return true
	}
	return false
}

func (e *examination) encryption(config *pgx.ConnConfig) {
	const advice = "sslmode=verify-full in database.url"
	switch mode := backend.SSLMode(e.Config.DatabaseURL); {
	case backend.OnThisMachine(config):
		e.add(checkEncryption, healthOK, "", "not needed: the database is on this machine")
	case mode == "" || mode == "verify-full":
		e.add(checkEncryption, healthOK, "", "TLS, and the database's certificate is verified")
	case mode == "require" || mode == "verify-ca":
		e.add(checkEncryption, healthWarning, advice, "TLS, but sslmode=%s lets others pose as the database", mode)
	default:
		e.add(checkEncryption, healthWarning, advice, "sslmode=%s lets others read and change what is sent", mode)
	}
}

// clock compares this machine's clock with the database's.
func (e *examination) clock(ctx context.Context, svc *service.Service) {
	before := time.Now()
	theirs, err := svc.Clock(ctx)
	if err != nil {
		e.addError(checkClock, err)
		return
	}
	took := time.Since(before)
	skew := before.Add(took / 2).Sub(theirs)
	how := "ahead of"
	if skew < 0 {
		how = "behind"
	}
	const advice = "set this machine's clock and the database's by NTP"
	switch apart := skew.Abs(); {
	case apart > time.Second+took:
		e.add(checkClock, healthWarning, advice, "%s %s the database's, by which sessions end", apart.Round(time.Second), how)
	default:
		e.add(checkClock, healthOK, "", "within a second of the database's")
	}
}

// zoneFolders are where systems keep their zones, as package time looks for them.
var zoneFolders = []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}

func (e *examination) zone() {
	const check = "time zone"
	name := e.Config.TimeZone
	if _, err := time.LoadLocation(name); err != nil || e.Config.Location.String() != name {
		e.add(check, healthFailed, "a name such as Europe/Paris", "time_zone is not a time zone")
		return
	}
	data := "from crm's own data"
	for _, folder := range zoneFolders {
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			data = "from " + folder
			break
		}
	}
	e.add(check, healthOK, "", "%s, %s", name, data)
}

// tracing looks whether somebody listens where reports go. It connects, for two seconds at most, and sends nothing.
func (e *examination) tracing(ctx context.Context) {
	const check, advice = "error tracing", "the DSN of the Sentry project in error_tracing.dns, or error_tracing.enabled = false"
	if !e.Config.Tracing {
		e.add(check, healthOK, "", "off; nothing is reported")
		return
	}
	if e.Config.TracingDSN == "" {
		e.add(check, healthFailed, advice, "on, but error_tracing.dns is not set; nothing can be reported")
		return
	}
	server, err := reportServer(e.Config.TracingDSN)
	if err != nil {
		e.add(check, healthFailed, advice, "on, but error_tracing.dns is not a DSN; nothing can be reported")
		return
	}
	if err := reachable(ctx, server); err != nil {
		e.add(check, healthWarning, "see that this machine may connect to it; crm works all the same", "on, but %s does not answer; reports are lost", server)
		return
	}
	e.add(check, healthOK, "", "on; unexpected failures are reported to %s", server)
}
