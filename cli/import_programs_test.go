package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExportsOfPrograms takes in what is awkward in the files of other programs, which those of the story have not.
func TestExportsOfPrograms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, program, file, want string }{
		{
			"third parties, semicolons, a line for each address, a new line in it as it is", "dolibarr",
			"Nom du tiers;Code client;Adresse;Code postal;Ville;Téléphone;Email;Date création;\n" +
				"Zinc & Co;CU1;\"1 rue A\nBât. B\";69001;Lyon;0472000001;zinc@other.example;2024-01-02 03:04:05;\n",
			"Zinc & Co,Zinc & Co,zinc@other.example,+33472000001,\"1 rue A, Bât. B, 69001 Lyon\"\n",
		},
		{
			"in English", "dolibarr",
			"Lastname,Firstname,Address,Zip Code,Town,Phone,Email,Company name,\nDoe,Jo,1 Road,,York,,jo@other.example,Doe Ltd,\n",
			"Jo Doe,Doe Ltd,jo@other.example,,\"1 Road, York\"\n",
		},
		{
			"names of fields in capitals, the data itself", "salesforce",
			"ID,FIRSTNAME,LASTNAME,PHONE,EMAIL,MAILINGSTREET,MAILINGCITY\n003,Jo,Doe,,jo@other.example,\"1 Road\r\nFloor 2\r\n\",York\n",
			"Jo Doe,,jo@other.example,,\"1 Road, Floor 2, York\"\n",
		},
		{
			"leads, and a report that ends in the sum of its rows", "salesforce",
			"\"First Name\",\"Last Name\",\"Company / Account\",\"Email\"\n\"\",\"\",\"Doe Ltd\",\"jo@other.example\"\n\n\"Grand Totals (1 records)\"\n",
			"Doe Ltd,Doe Ltd,jo@other.example,,\n",
		},
		{
			"names of fields", "odoo",
			"\"id\",\"name\",\"parent_id\",\"email\",\"street\",\"zip\",\"city\",\"country_id\"\n\"base.x\",\"'=Jo\",\"\",\"jo@other.example\",\"'+1 Road\",\"\",\"York\",\"United Kingdom\"\n",
			"=Jo,,jo@other.example,,\"+1 Road, York, United Kingdom\"\n",
		},
		{
			"accounts, tabs", "espocrm",
			"name\temailAddress\tbillingAddressStreet\tbillingAddressCity\n'@Home\tjo@other.example\t\"1 Road\n\nFloor 2\"\tYork\n",
			"@Home,,jo@other.example,,\"1 Road, Floor 2, York\"\n",
		},
		{
			"an apostrophe of its own, no such label as another has, #N/A of a spreadsheet", "hubspot",
			"Email,First Name,Last Name,Company Name,City,Street Address\njo@other.example,'t Hooft,#N/A,#N/A,#N/A,'s Road\n",
			"'t Hooft,,jo@other.example,,'s Road\n",
		},
	} {
		t.Run(c.program+" "+c.name, func(t *testing.T) {
			t.Parallel()
			e := asEmployee(t, "commercial1")
			for _, want := range []string{"1,0\n", "0,1\n"} {
				r := e.crm(c.file, "customer", "import", "-", "--from", c.program, "--match", "email", "--on-match", "update", "--fields", "added,unchanged", "-o", "csv", "--no-header")
				if r.code != 0 || r.out != want {
					t.Fatalf("exit %d, %q instead of %q: %s", r.code, r.out, want, r.err)
				}
			}
			got := e.must(t, "customer", "list", "--search", "other.example", "--fields", "fullname,company,email,phone,address", "-o", "csv", "--no-header")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +crm):\n%s", diff)
			}
		})
	}
}

// TestProgramsAreMapped: each line of a program's map is of a field, once, and no label leads to an address in two orders.
func TestProgramsAreMapped(t *testing.T) {
	t.Parallel()
	fields := map[string]bool{"fullname": true, "company": true, "email": true, "phone": true, "address": true, "created_at": true}
	for _, each := range customerPrograms() {
		seen := map[string]bool{}
		for _, column := range each.columns {
			cut := strings.LastIndexByte(column, '=')
			if field := column[cut+1:]; !fields[field] || seen[field] {
				t.Errorf("%s: %s is no field, or there twice", each.name, field)
			} else {
				seen[field] = true
			}
			for way := range strings.SplitSeq(column[:cut], "|") {
				for part := range strings.SplitSeq(strings.ReplaceAll(way, "++", "+"), "+") {
					if part == "" || strings.TrimSpace(part) != part {
						t.Errorf("%s: %q has a label without a name", each.name, way)
					}
				}
			}
		}
		if len(seen) != len(fields) {
			t.Errorf("%s has only %v", each.name, seen)
		}
	}
}

// TestColumnsOf: labels that are joined, in lines, in order of preference; what is not there.
func TestColumnsOf(t *testing.T) {
	t.Parallel()
	header := []string{"A", "b", "C+D", "e|f", "Email", "Email", ""}
	for label, want := range map[string][]way{
		"a": {{{0}}}, "A+B": {{{0, 1}}}, "a++b": {{{0}, {1}}}, "a|b": {{{0}}, {{1}}}, "b+a|email": {{{1, 0}}, {{4}}},
		"c+d": {{{2}}}, "a|c+d": {{{0}}, {{2}}}, "e|f": {{{3}}}, "a + b": {{{0, 1}}},
		"x": nil, "a+x": nil, "a|x": nil, "a++": nil, "+": nil, "a+|b": nil, "": nil,
	} {
		if diff := cmp.Diff(want, columnsOf(header, label, false, nil)); diff != "" {
			t.Errorf("%q (-want +crm):\n%s", label, diff)
		}
	}
	for label, want := range map[string][]way{"a+x": {{{0}}}, "x|b": {{{1}}}, "x++b+a": {{{1, 0}}}, "x": nil, "email": nil} {
		if diff := cmp.Diff(want, columnsOf(header, label, true, []string{"email"})); diff != "" {
			t.Errorf("%q, if only partly (-want +crm):\n%s", label, diff)
		}
	}
}

// TestTimesOfPrograms: the zone in which a program writes them, and no day that could be of two months.
func TestTimesOfPrograms(t *testing.T) {
	t.Parallel()
	local, utc := &program{}, &program{utc: true}
	for _, c := range []struct {
		from       *program
		cell, want string
	}{
		{local, "2024-03-12 09:14", "2024-03-12 09:14"}, {utc, "2024-03-12 09:14:10", "2024-03-12 09:14:10Z"},
		{utc, "2024-03-12T09:14:10.000Z", "2024-03-12T09:14:10.000Z"}, {local, "2024-03-12T09:14:10.000+0000", "2024-03-12T09:14:10.000Z"},
		{utc, "2024-03-12", "2024-03-12"}, {utc, " 2024-03-12T09:14+02:00 ", "2024-03-12T09:14+02:00"},
		{local, "3/5/2024", ""}, {utc, "12.03.2024 09:14", ""}, {local, "x", ""}, {utc, "2024", ""}, {utc, "2024-3-1", "2024-3-1"},
	} {
		got, err := timeElsewhere(c.from, c.cell)
		if got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q: %q, %v", c.cell, got, err)
		}
	}
}
