//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/epicevents/crm/internal/dbtest"
)

// oldTool is a database of the tool that crm replaces, with a row of each kind that is awkward.
const oldTool = `
CREATE TABLE role (id INTEGER PRIMARY KEY, name VARCHAR(30));
CREATE TABLE employee (id INTEGER PRIMARY KEY, username VARCHAR(30) UNIQUE, fullname VARCHAR(255), password BLOB, role_id INTEGER REFERENCES role (id));
CREATE TABLE customer (id INTEGER PRIMARY KEY, fullname VARCHAR(255), email VARCHAR(255), phone VARCHAR(20), company VARCHAR(255),
	commercial_contact_id INTEGER REFERENCES employee (id), creation_date DATETIME, last_modified DATETIME);
CREATE TABLE contract (id CHAR(32) PRIMARY KEY, customer_id INTEGER REFERENCES customer (id), signed BOOLEAN, total_amount INTEGER,
	total_payed INTEGER, creation_date DATETIME);
CREATE TABLE event (id INTEGER PRIMARY KEY, name VARCHAR(255), contract_id CHAR(32) REFERENCES contract (id), support_contact_id INTEGER REFERENCES employee (id),
	start DATETIME, "end" DATETIME, attendees INTEGER, location TEXT, note TEXT);
INSERT INTO role VALUES (1, 'None'), (2, 'Commercial'), (3, 'Support'), (4, 'Administrator');
INSERT INTO employee VALUES (1, 'administrator1', 'Aurélie Lemaître', x'00', 4), (2, 'zoe', 'Zoé Œuf', x'00', 2), (3, 'marc', 'Marc "le Grand", fils', x'00', 3),
	(4, 'Two Words', 'Somebody', x'00', 1);
INSERT INTO customer VALUES
	(7, 'Kévin; Durand', 'kevin@durand.example', '+10612345678', 'Cirque, "Durand"', 2, '2023-07-01 22:30:00', '2023-07-02 00:00:00'),
	(9, 'Inès', 'notanemail', '+33145678901', NULL, 2, '2023-01-01 23:59:59', NULL),
	(40, 'Léa', 'lea@example.com', '+19', '', 2, '2024-02-29 12:00:00', NULL);
INSERT INTO contract VALUES
	('5f0c1a528d0e4c1a9d623f1d1f0f7a10', 7, 1, 1234.5, 0.28, '2023-07-05 08:00:00'),
	('6f0c1a528d0e4c1a9d623f1d1f0f7a11', 7, 1, 100, 250, '2024-01-01 00:30:00'),
	('7f0c1a528d0e4c1a9d623f1d1f0f7a12', 40, 0, 9, 0, '2024-03-01 08:00:00');
INSERT INTO event VALUES
	(3, 'Bal', '5f0c1a528d0e4c1a9d623f1d1f0f7a10', 3, '2023-08-01 19:00:00.000000', '2023-08-02 01:00:00.000000', 80, 'Paris', 'two
lines'),
	(4, 'Concert', '5f0c1a528d0e4c1a9d623f1d1f0f7a10', NULL, '2024-03-31 02:30:00.000000', NULL, NULL, NULL, NULL),
	(5, 'Dîner', '7f0c1a528d0e4c1a9d623f1d1f0f7a12', NULL, NULL, NULL, NULL, NULL, NULL),
	(90, 'Gala', '6f0c1a528d0e4c1a9d623f1d1f0f7a11', NULL, '2024-05-01 20:00:00.000000', '2024-05-01 19:00:00.000000', 5, 'Lyon
centre', NULL);
`

// TestMoving moves out of the old tool by the commands of docs/moving.md, as they stand there, and mends what is refused.
func TestMoving(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/moving.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks", len(blocks))
	}
	e := newEnv(t)
	if _, err := dbtest.Connect(t, e.config).Exec(t.Context(), `
		ALTER TABLE payment DISABLE TRIGGER payment_stays;
		DELETE FROM event;
		DELETE FROM payment;
		ALTER TABLE payment ENABLE TRIGGER payment_stays;
		DELETE FROM reminder;
		DELETE FROM contract;
		DELETE FROM customer;
		DELETE FROM employee WHERE username <> 'administrator1'`); err != nil {
		t.Fatal(err)
	}
	e.login("administrator1")
	shell := func(script string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir, cmd.Env = e.home, e.vars
		out, _ := cmd.CombinedOutput() // rows that are refused are exit 8
		return string(out)
	}
	old := exec.Command("sqlite3", filepath.Join(e.home, "old.db"))
	old.Stdin = strings.NewReader(oldTool)
	if out, err := old.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	refused := func(resource string, reasons ...string) {
		t.Helper()
		rejects, err := os.ReadFile(filepath.Join(e.home, resource+"s-rejected.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(shell("crm "+resource+" import "+resource+"s-rejected.csv --keep-ids --dry-run 2>&1"), "line "); lines < len(reasons) {
			t.Errorf("%s: %d reasons on a second try, %s", resource, lines, rejects)
		}
		for _, reason := range reasons {
			if !strings.Contains(string(rejects), reason) {
				t.Errorf("%s: %q is not in\n%s", resource, reason, rejects)
			}
		}
	}
	// mend changes the refused rows with an editor, and takes them in.
	mend := func(resource, script, want string) {
		t.Helper()
		out := shell("sed -i.bak '" + script + "' " + resource + "s-rejected.csv; crm " + resource + " import " + resource + "s-rejected.csv --keep-ids --fields added,unchanged -o csv --no-header")
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%s: %s", resource, out)
		}
	}

	shell(blocks[0][1])
	shell(blocks[1][1])
	refused("employee", "username:")
	mend("employee", "s/Two Words/two.words/", "1,0")
	refused("customer", `email: E-mail ""notanemail""`, `phone: Phone number ""+19""`)
	mend("customer", "s/notanemail//; s/+19//", "2,0")
	shell(blocks[2][1])
	refused("payment", "The payments would exceed the total amount.")
	mend("payment", "s/,250.00,/,100.00,/", "1,0")
	refused("event", "start:", "An event belongs to a signed contract", "location must be a single line.")
	shell("crm contract sign 7f0c1a")
	mend("event", `s/02:30/03:30/; s/"Lyon$/"Lyon/; /Gala/{N; s/\n/ /; s/19:00/21:00/}`, "3,0")

	for list, want := range map[string]string{
		"employee list --fields username,fullname,role": "administrator1,Aurélie Lemaître,administrator\nzoe,Zoé Œuf,commercial\nmarc,\"Marc \"\"le Grand\"\", fils\",support\ntwo.words,Somebody,none\n",
		"customer list --fields id,fullname,company,commercial,email,phone,created_at": "7,Kévin; Durand,\"Cirque, \"\"Durand\"\"\",zoe,kevin@durand.example,+33612345678,2023-07-02T00:30:00+02:00\n" +
			"9,Inès,,zoe,,+33145678901,2023-01-02T00:59:59+01:00\n40,Léa,,zoe,lea@example.com,,2024-02-29T13:00:00+01:00\n",
		"contract list --fields id,number,customer_id,total_amount,total_due,signed_at": "5f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a10,2023-0001,7,1234.50,1234.22,2023-07-05T10:00:00+02:00\n" +
			"6f0c1a52-8d0e-4c1a-9d62-3f1d1f0f7a11,2024-0001,7,100.00,0.00,2024-01-01T01:30:00+01:00\n",
		"event list --fields id,name,number,support,start,end,attendees,note": "3,Bal,2023-0001,marc,2023-08-01T19:00:00+02:00,2023-08-02T01:00:00+02:00,80,\"two\nlines\"\n" +
			"4,Concert,2023-0001,,2024-03-31T03:30:00+02:00,,,\n90,Gala,2024-0001,,2024-05-01T20:00:00+02:00,2024-05-01T21:00:00+02:00,5,\n5,Dîner,2024-0002,,,,,\n",
	} {
		_, got, stderr := e.crm("", append(strings.Fields(list), "-o", "csv", "--no-header")...)
		if !strings.HasPrefix(got, want) && cmp.Diff(want, got) != "" {
			t.Errorf("%s: %s%s", list, cmp.Diff(want, got), stderr)
		}
	}
	// What is added later is counted on.
	if code, out, stderr := e.crm("", "customer", "import", "customers.csv", "--keep-ids", "--match", "id", "--on-match", "skip", "--fields", "added", "-o", "csv", "--no-header"); code != 6 && out != "0\n" {
		t.Errorf("a second time: %s%s", out, stderr)
	}
	for counter, last := range map[string]int64{"customer_id_seq": 40, "event_id_seq": 90} {
		if n := e.number("SELECT last_value FROM " + counter); n < last {
			t.Errorf("%s is at %d", counter, n)
		}
	}
	if out := shell("crm payment import payments.csv --fields added,unchanged -o csv --no-header 2>/dev/null"); out != "" && !strings.HasPrefix(out, "0,") {
		t.Errorf("payments a second time: %s", out)
	}
}
