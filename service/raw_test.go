package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/epicevents/crm/gen"
	"github.com/epicevents/crm/internal/failure"
	"github.com/epicevents/crm/internal/value"
	"github.com/epicevents/crm/service"
)

// valueless are the writing operations that take no value that could be wrong: who and what they are about is found or not.
var valueless = map[string]bool{
	"AuthLogout": true, "AuthSessionsRevoke": true, "AuthTokenRevoke": true, "EmployeeUnlock": true, "EmployeeDelete": true,
	"EmployeeDeactivate": true, "EmployeeReactivate": true, "EmployeeHandover": true, "CustomerArchive": true, "CustomerRestore": true, "CustomerMerge": true,
	"CustomerSetCommercial": true, "ContractSign": true, "EventSetSupport": true, "DbPopulate": true,
	"Undo": true, "ReminderDone": true, "ReminderDelete": true,
}

// TestRawValues calls every writing operation with values that no flag would have let through: a second program, or a
// server, stands where the flags are. Each is refused in one line, as a wrong value or by a rule, and nothing changes.
func TestRawValues(t *testing.T) {
	t.Parallel()
	p := sample(t)
	ctx := t.Context()
	administrator, commercial, support := p.as("administrator1"), p.as("commercial1"), p.as("support1")
	texts := map[string]string{
		"empty": "", "blank": "\u200b", "a space before": " a", "two lines": "a\rb", "too long": strings.Repeat("é", 10_001), "an escape": "a\x1b[31mb",
		"right to left override": "a\u202eb", "isolate": "\u2066a\u2069", "not in normal form C": "Ine\u0300s", "no UTF-8": "a\xffb", "NUL": "a\x00b",
	}
	year := func(year int) *time.Time { return new(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)) }
	raw := map[string]func(refused func(what string, call func() error)){
		"AuthTokenCreate": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused(what, func() error { return second(administrator.AuthTokenCreate(ctx, text, false, false, time.Hour)) })
			}
			for _, lifetime := range []time.Duration{0, -time.Hour, 400 * 24 * time.Hour, 1<<63 - 1} {
				refused(lifetime.String(), func() error { return second(administrator.AuthTokenCreate(ctx, "good", false, false, lifetime)) })
			}
		},
		"AuthChangePassword": func(refused func(string, func() error)) {
			refused("short", func() error { return second(commercial.AuthChangePassword(ctx, password, "short")) })
		},
		"EmployeeAdd": func(refused func(string, func() error)) {
			add := func(username, fullname string, role gen.Role) error {
				return second(administrator.EmployeeAdd(ctx, gen.EmployeeAddParams{Username: username, Fullname: fullname, Role: role}, goodPassword))
			}
			for what, text := range texts {
				refused("fullname "+what, func() error { return add("good", text, gen.RoleNone) })
				refused("username "+what, func() error { return add(text, "Good", gen.RoleNone) })
			}
			refused("role", func() error { return add("good", "Good", "boss") })
		},
		"EmployeeUpdate": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused("fullname "+what, func() error {
					return second(administrator.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("none1"), Fullname: &text}))
				})
				refused("username "+what, func() error {
					return second(administrator.EmployeeUpdate(ctx, gen.EmployeeUpdateParams{CurrentUsername: new("none1"), Username: &text}))
				})
			}
		},
		"EmployeeSetRole": func(refused func(string, func() error)) {
			refused("role", func() error {
				return second(administrator.EmployeeSetRole(ctx, gen.EmployeeSetRoleParams{Username: "none1", Role: "boss"}))
			})
		},
		"EmployeeSetPassword": func(refused func(string, func() error)) {
			refused("short", func() error { return second(administrator.EmployeeSetPassword(ctx, "none1", "short", true)) })
		},
		"CustomerAdd": func(refused func(string, func() error)) {
			for what, bad := range rawCustomers(texts) {
				refused(what, func() error {
					p := goodCustomer
					bad(&p)
					return second(commercial.CustomerAdd(ctx, p))
				})
			}
			refused("neither e-mail nor phone", func() error {
				return second(commercial.CustomerAdd(ctx, gen.CustomerAddParams{Fullname: "Zoé"}))
			})
		},
		"CustomerUpdate": func(refused func(string, func() error)) {
			for what, bad := range rawCustomers(texts) {
				refused(what, func() error {
					p := goodCustomer
					bad(&p)
					return second(commercial.CustomerUpdate(ctx, gen.CustomerUpdateParams{ID: ownCustomer, Fullname: &p.Fullname, Company: p.Company, Email: p.Email, Phone: p.Phone, Address: p.Address}))
				})
			}
		},
		"ContractAdd": func(refused func(string, func() error)) {
			for what, amount := range map[string]value.Cents{"-1": -1, "too much": 100_000_000_000, "all bits": 1<<63 - 1} {
				refused(what, func() error {
					return second(administrator.ContractAdd(ctx, gen.ContractAddParams{CustomerID: ownCustomer, TotalAmount: amount}))
				})
			}
			for _, day := range noDays {
				refused("due "+string(day), func() error {
					return second(administrator.ContractAdd(ctx, gen.ContractAddParams{CustomerID: ownCustomer, TotalAmount: 1, DueOn: &day}))
				})
			}
		},
		"ContractUpdate": func(refused func(string, func() error)) {
			for what, amount := range map[string]value.Cents{"-1": -1, "too much": 100_000_000_000, "all bits": 1<<63 - 1} {
				refused(what, func() error {
					return second(administrator.ContractUpdate(ctx, gen.ContractUpdateParams{ID: ownUnsigned, TotalAmount: &amount}))
				})
			}
			for _, day := range noDays {
				refused("due "+string(day), func() error {
					return second(administrator.ContractUpdate(ctx, gen.ContractUpdateParams{ID: ownUnsigned, DueOn: &day}))
				})
			}
		},
		"ContractAddPayment": func(refused func(string, func() error)) {
			for what, amount := range map[string]value.Cents{"0": 0, "-1": -1, "too much": 100_000_000_000, "all bits": 1<<63 - 1} {
				refused(what, func() error {
					return second(administrator.ContractAddPayment(ctx, gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: amount}))
				})
			}
			pay := func(change func(*gen.ContractAddPaymentParams)) func() error {
				p := gen.ContractAddPaymentParams{ID: uuid.New(), ContractID: ownSigned, Amount: 1}
				change(&p)
				return func() error { return second(administrator.ContractAddPayment(ctx, p)) }
			}
			for what, text := range texts {
				refused("reference "+what, pay(func(p *gen.ContractAddPaymentParams) { p.Reference = &text }))
			}
			for _, day := range []value.Date{"", "2026-02-30", "1899-12-31", "2201-01-01", "tomorrow", "infinity", value.DateOf(time.Now().AddDate(0, 0, 2))} {
				refused("received on "+string(day), pay(func(p *gen.ContractAddPaymentParams) { p.ReceivedOn = &day }))
			}
			refused("method", pay(func(p *gen.ContractAddPaymentParams) { p.Method = new(gen.PaymentMethod("barter")) }))
		},
		"ContractUnsign": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused(what, func() error {
					return second(administrator.ContractUnsign(ctx, gen.ContractUnsignParams{ID: uuid.MustParse("de0bf099-fc0a-4da4-959c-b16cd9e05bca"), Reason: text}))
				})
			}
		},
		"ContractCancel": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused(what, func() error {
					return second(commercial.ContractCancel(ctx, gen.ContractCancelParams{ID: ownUnsigned, Reason: text}))
				})
			}
		},
		"PaymentVoid": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused(what, func() error {
					return second(administrator.PaymentVoid(ctx, gen.PaymentVoidParams{ID: uuid.MustParse("a2e19158-4e62-4c1b-899e-7780efe15a39"), Reason: text}))
				})
			}
		},
		"NoteAdd": func(refused func(string, func() error)) {
			for what, text := range texts {
				if what == "two lines" || what == "a space before" { // which a note may have
					continue
				}
				refused(what, func() error {
					return second(administrator.NoteAdd(ctx, gen.NoteAddParams{CustomerID: new(int64(ownCustomer)), Text: text}))
				})
			}
			refused("about nothing", func() error { return second(administrator.NoteAdd(ctx, gen.NoteAddParams{Text: "good"})) })
			refused("about two", func() error {
				return second(administrator.NoteAdd(ctx, gen.NoteAddParams{CustomerID: new(int64(ownCustomer)), EventID: new(int64(ownEvent)), Text: "good"}))
			})
		},
		"ReminderAdd": func(refused func(string, func() error)) {
			add := func(text string, due value.Date, who *string) func() error {
				return func() error {
					return second(administrator.ReminderAdd(ctx, gen.ReminderAddParams{CustomerID: new(int64(ownCustomer)), Text: text, DueOn: due, For: who}))
				}
			}
			for what, text := range texts {
				if what != "two lines" && what != "a space before" {
					refused(what, add(text, "2031-01-01", nil))
				}
			}
			for _, due := range []value.Date{"", "2031-02-30", "today", "1899-12-31", "2201-01-01", "infinity"} {
				refused("due "+string(due), add("good", due, nil))
			}
			refused("for who has left", add("good", "2031-01-01", new("support3")))
			refused("about nothing", func() error {
				return second(administrator.ReminderAdd(ctx, gen.ReminderAddParams{Text: "good", DueOn: "2031-01-01"}))
			})
		},
		"EventCancel": func(refused func(string, func() error)) {
			for what, text := range texts {
				refused(what, func() error {
					return second(administrator.EventCancel(ctx, gen.EventCancelParams{ID: ownEvent, Reason: text}))
				})
			}
		},
		"EventAdd": func(refused func(string, func() error)) {
			for what, bad := range rawEvents(texts, year) {
				refused(what, func() error {
					bad.ContractID = ownSigned
					if bad.Name == "" && !strings.HasPrefix(what, "name") {
						bad.Name = "Bal"
					}
					return second(commercial.EventAdd(ctx, bad))
				})
			}
		},
		"EventUpdate": func(refused func(string, func() error)) {
			for what, bad := range rawEvents(texts, year) {
				refused(what, func() error {
					update := gen.EventUpdateParams{ID: ownEvent, StartAt: bad.StartAt, EndAt: bad.EndAt, Attendees: bad.Attendees, Location: bad.Location, Note: bad.Note}
					if strings.HasPrefix(what, "name") {
						update.Name = &bad.Name
					}
					return second(support.EventUpdate(ctx, update))
				})
			}
		},
		"CustomerImport": func(refused func(string, func() error)) {
			for what, bad := range rawCustomers(texts) {
				refused(what, func() error {
					p := goodCustomer
					bad(&p)
					return written(administrator.CustomerImport(ctx, byID, rowsOf(gen.CustomerImportStageParams{
						Line: 2, Fullname: &p.Fullname, Company: p.Company, Email: p.Email, Phone: p.Phone, Address: p.Address, Commercial: new("commercial1")})))
				})
			}
			refused("what to do", func() error {
				return written(administrator.CustomerImport(ctx, service.ImportParams{OnMatch: "merge"}, rowsOf[gen.CustomerImportStageParams]()))
			})
			refused("key", func() error {
				return written(administrator.CustomerImport(ctx, service.ImportParams{OnMatch: gen.ImportOnMatchFail, Key: new(gen.ImportKey("shoe size"))},
					rowsOf(gen.CustomerImportStageParams{Line: 2})))
			})
		},
		"ContractImport": func(refused func(string, func() error)) {
			for _, amount := range []value.Cents{-1, 100_000_000_000, 1<<63 - 1} {
				refused(fmt.Sprint(amount), func() error {
					return written(administrator.ContractImport(ctx, byID, rowsOf(gen.ContractImportStageParams{Line: 2, CustomerID: new(int64(ownCustomer)), TotalAmount: &amount})))
				})
			}
			for what, text := range texts {
				if what == "empty" { // which means nobody
					continue
				}
				refused("sold by "+what, func() error {
					return written(administrator.ContractImport(ctx, byID, rowsOf(gen.ContractImportStageParams{
						Line: 2, CustomerID: new(int64(ownCustomer)), TotalAmount: new(value.Cents(1)), Signed: new(true), SoldBy: &text})))
				})
			}
		},
		"PaymentImport": func(refused func(string, func() error)) {
			pay := func(change func(*gen.PaymentImportStageParams)) func() error {
				row := gen.PaymentImportStageParams{Line: 2, ContractID: &ownSigned, Amount: new(value.Cents(1))}
				change(&row)
				return func() error { return written(administrator.PaymentImport(ctx, byID, rowsOf(row))) }
			}
			for what, text := range texts {
				refused("reference "+what, pay(func(row *gen.PaymentImportStageParams) { row.Reference = &text }))
				refused("recorded by "+what, pay(func(row *gen.PaymentImportStageParams) { row.RecordedBy = &text }))
			}
			refused("amount", pay(func(row *gen.PaymentImportStageParams) { row.Amount = new(value.Cents(-5)) }))
			refused("method", pay(func(row *gen.PaymentImportStageParams) { row.Method = new(gen.PaymentMethod("barter")) }))
			refused("void without a reason", pay(func(row *gen.PaymentImportStageParams) { row.VoidedAt = new(time.Now()) }))
		},
		"ContractReconcile": func(refused func(string, func() error)) {
			reconcile := func(change func(*gen.ContractReconcileStageParams)) func() error {
				row := gen.ContractReconcileStageParams{Line: 2, BookedOn: "2026-11-02", Amount: 1, Label: "VIREMENT 2026-0005"}
				change(&row)
				return func() error {
					return second(administrator.ContractReconcile(ctx, service.ReconcileParams{Apply: true}, rowsOf(row)))
				}
			}
			refused("a debit", reconcile(func(row *gen.ContractReconcileStageParams) { row.Amount = -5 }))
			refused("nothing", reconcile(func(row *gen.ContractReconcileStageParams) { row.Amount = 0 }))
			refused("which", reconcile(func(row *gen.ContractReconcileStageParams) { row.Occurrence = new(int64(0)) }))
			refused("label in lines", reconcile(func(row *gen.ContractReconcileStageParams) { row.Label = "a\nb" }))
			refused("long label", reconcile(func(row *gen.ContractReconcileStageParams) { row.Label = strings.Repeat("é", 4001) }))
			for _, day := range noDays {
				refused("day "+string(day), reconcile(func(row *gen.ContractReconcileStageParams) { row.BookedOn = day }))
			}
		},
		"EventImport": func(refused func(string, func() error)) {
			for what, bad := range rawEvents(texts, year) {
				refused(what, func() error {
					name := &bad.Name
					if *name == "" && !strings.HasPrefix(what, "name") {
						name = new("Bal")
					}
					return written(administrator.EventImport(ctx, byID, rowsOf(gen.EventImportStageParams{Line: 2, ContractID: &ownSigned, Name: name,
						StartAt: bad.StartAt, EndAt: bad.EndAt, Attendees: bad.Attendees, Location: bad.Location, Note: bad.Note})))
				})
			}
		},
		"EmployeeImport": func(refused func(string, func() error)) {
			add := func(username, fullname string, role gen.Role) error {
				return written(administrator.EmployeeImport(ctx, byID, rowsOf(gen.EmployeeImportStageParams{Line: 2, Username: &username, Fullname: &fullname, Role: &role})))
			}
			for what, text := range texts {
				refused("fullname "+what, func() error { return add("good", text, gen.RoleNone) })
				refused("username "+what, func() error { return add(text, "Good", gen.RoleNone) })
			}
			refused("role", func() error { return add("good", "Good", "boss") })
		},
	}
	for operation, call := range calls {
		if call.writes && raw[operation] == nil && !valueless[operation] {
			t.Errorf("no raw values for %s", operation)
		}
	}
	p.exec("UPDATE session SET expires_at = limit_at") // so that no use puts it off, which is no change of its own
	for operation, walk := range raw {
		before := checksum(t, p.conn)
		walk(func(what string, call func() error) {
			err := call()
			if code := failure.CodeOf(err); err == nil || code != failure.Usage && code != failure.Conflict {
				t.Errorf("%s, %s: %s, %v", operation, what, code, err)
			} else if message := err.Error(); message == "" || strings.ContainsAny(message, "\n\x1b\u202e\u2066") {
				t.Errorf("%s, %s: the message is %q", operation, what, message)
			}
		})
		p.exec("DELETE FROM login_failure") // a password may have been tried
		if checksum(t, p.conn) != before {
			t.Errorf("%s: rows have changed", operation)
		}
	}
}

// noDays are read as days by PostgreSQL, some of them, and mean none that a person has typed.
var noDays = []value.Date{"", "tomorrow", "infinity", "-infinity", "1/2/2026", "20260102", "2026-02-30", "2026-1-2", "0026-01-01", "2026-01-02 BC", "2026-01-02T00:00:00Z"}

var goodCustomer = gen.CustomerAddParams{Fullname: "Zoé", Company: new("Zed"), Email: new("z@example.com"), Phone: new(value.Phone("+33145670102"))}

func rawCustomers(texts map[string]string) map[string]func(*gen.CustomerAddParams) {
	cases := map[string]func(*gen.CustomerAddParams){}
	for what, text := range texts {
		cases["fullname "+what] = func(p *gen.CustomerAddParams) { p.Fullname = text }
		cases["company "+what] = func(p *gen.CustomerAddParams) { p.Company = &text }
		cases["email "+what] = func(p *gen.CustomerAddParams) { p.Email = &text }
		cases["email of "+what] = func(p *gen.CustomerAddParams) { p.Email = new(text + "@b.example") }
		cases["phone "+what] = func(p *gen.CustomerAddParams) { p.Phone = new(value.Phone(text)) }
	}
	for what, text := range texts {
		cases["address "+what] = func(p *gen.CustomerAddParams) { p.Address = &text }
	}
	for _, bad := range []string{"notanemail", "a@b", "a@B.example", "a b@c.example", "<a@b.example>"} {
		cases["email "+bad] = func(p *gen.CustomerAddParams) { p.Email = &bad }
	}
	for _, bad := range []string{"+99999999", "+1", "0145678901", "+330145678901", "+33 1 45 67 89 01", "+33145670102;ext=1", "+33596631234"} {
		cases["phone "+bad] = func(p *gen.CustomerAddParams) { p.Phone = new(value.Phone(bad)) }
	}
	return cases
}

func rawEvents(texts map[string]string, year func(int) *time.Time) map[string]gen.EventAddParams {
	cases := map[string]gen.EventAddParams{
		"starts 4000 years before": {StartAt: year(-4000)}, "starts in 20000": {StartAt: year(20000), EndAt: year(20001)},
		"ends in 20000": {EndAt: year(20000)}, "ends 4000 years before": {EndAt: year(-4000)}, "out of range": {StartAt: year(400_000)},
		"below zero": {Attendees: new(int32(-1))}, "all bits": {Attendees: new(int32(1<<31 - 1))}, "a million and one": {Attendees: new(int32(1_000_001))},
		"backwards": {StartAt: year(2027), EndAt: year(2026)},
	}
	for what, text := range texts {
		cases["name "+what] = gen.EventAddParams{Name: text}
		cases["location "+what] = gen.EventAddParams{Location: &text}
		if what != "a space before" { // a note is kept as it is laid out
			cases["note "+what] = gen.EventAddParams{Note: &text}
		}
	}
	return cases
}
