package render

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"
)

var colorCodes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestEveryLineIsEquallyWide(t *testing.T) {
	t.Parallel()
	rows := nastyRows()
	for _, width := range []int{0, 20, 40, 60, 80, 100, 120, 160, 400} {
		for _, color := range []bool{false, true} {
			o, out, notices := testOutput(t, "table")
			o.Width, o.Color = width, color
			if err := List(o, samples, rowsOf(rows)); err != nil {
				t.Fatal(err)
			}
			checkBox(t, out.String(), width, 80)
			if strings.Contains(out.String(), "\x1b") != color {
				t.Errorf("width %d, colour %v: escape codes are wrong", width, color)
			}
			if (width == 0 || width == 400) != (notices.Len() == 0) {
				t.Errorf("width %d: notice %q", width, notices)
			}
			whole := out.String()
			for _, row := range rows {
				if !strings.Contains(whole, row.ID.String()) {
					t.Errorf("width %d: id %s is not there", width, row.ID)
				}
				out.Reset()
				before := row
				before.Customer += "!"
				if err := Detail(o, samples, row, &before); err != nil {
					t.Fatal(err)
				}
				checkBox(t, out.String(), width, 40)
				out.Reset()
				if err := List(o, samples, rowsOf([]sample{row})); err != nil {
					t.Fatal(err)
				}
				checkBox(t, out.String(), width, 80)
			}
		}
	}
}

// checkBox checks that lines are equally wide and, in a terminal of at least wideEnough, fit.
func checkBox(t *testing.T, box string, width, wideEnough int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(colorCodes.ReplaceAllString(box, ""), "\n"), "\n")
	for _, line := range lines {
		got := displaywidth.String(line)
		if got != displaywidth.String(lines[0]) {
			t.Errorf("width %d: a line of %d, not %d:\n%s", width, got, displaywidth.String(lines[0]), line)
		}
		if width >= wideEnough && got > width {
			t.Errorf("width %d: a line of %d:\n%s", width, got, line)
		}
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 40)
	fields := []Field{
		{Label: "Id", Kind: KindUUID},
		{Label: "Name", Kind: KindText},
		{Label: "Company", Kind: KindText, Look: Look{Rank: 1}},
		{Label: "User", Kind: KindText, Look: Look{Whole: true, Rank: 2}},
		{Label: "Total", Kind: KindAmount, Look: Look{Rank: 1}},
	}
	cut := slices.Clone(fields)
	cut[2].Look.Cut, cut[4].Look.Rank = true, 0
	lines := [][]string{{"12345678", long, "xxxxxxxxxxxxxxx", "administrator1", "450.00 €"}}
	for _, tt := range []struct {
		name     string
		terminal int
		mayHide  bool
		want     []int
	}{
		{"no terminal", 0, true, []int{8, 40, 15, 14, 8}},
		{"room for all", 101, true, []int{8, 40, 15, 14, 8}},
		{"one less: the widest text", 100, true, []int{8, 39, 15, 14, 8}},
		{"text as short as is good", 81, true, []int{8, 20, 15, 14, 8}},
		{"the highest rank goes, text recovers", 80, true, []int{8, 36, 15, 0, 8}},
		{"of equal ranks the last goes first", 59, true, []int{8, 26, 15, 0, 0}},
		{"nothing left to go: text at its least", 22, true, []int{8, 8, 0, 0, 0}},
		{"text is levelled where nothing may go", 70, false, []int{8, 12, 12, 14, 8}},
		{"what has no rank stays", 10, true, []int{8, 8, 0, 0, 0}},
		{"what was asked for stays", 10, false, []int{8, 8, 8, 14, 8}},
	} {
		if got := layout(fields, lines, tt.terminal, tt.mayHide); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	for terminal, want := range map[int][]int{ // without User, which is no text to cut
		64: {8, 20, 15, 0, 8},
		63: {8, 19, 15, 0, 8},
		45: {8, 8, 8, 0, 8},
		44: {8, 18, 0, 0, 8},
	} {
		if got := layout(cut, lines, terminal, true); !slices.Equal(got, want) {
			t.Errorf("cut before it goes, %d wide: got %v, want %v", terminal, got, want)
		}
	}
}

// An id is shown by its beginning to people at a terminal, unless they ask for it; whoever reads a file gets all of it.
func TestIDsBegin(t *testing.T) {
	t.Parallel()
	r := samples
	r.Looks = []Look{{Column: "id", Begins: 8}}
	rows := nastyRows()[:1]
	whole := rows[0].ID.String()
	for _, tt := range []struct {
		format string
		width  int
		fields []string
		want   bool
	}{
		{"table", 400, nil, false},
		{"markdown", 400, nil, true},
		{"table", 400, []string{"id"}, true},
		{"table", 0, nil, true},
		{"csv", 400, nil, true},
		{"json", 400, nil, true},
	} {
		o, out, _ := testOutput(t, tt.format)
		o.Width, o.Fields = tt.width, tt.fields
		if err := List(o, r, rowsOf(rows)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), whole[:8]) || strings.Contains(out.String(), whole) != tt.want {
			t.Errorf("%s, width %d, %v: whole is %v in\n%s", tt.format, tt.width, tt.fields, !tt.want, out)
		}
	}
}

// A column that a filter leaves one value in goes before all others, and one that was asked about stays.
func TestFiltersAndOrderRankColumns(t *testing.T) {
	t.Parallel()
	r := samples
	r.Looks = []Look{
		{Column: "id", SaidBy: "stage"},
		{Column: "customer", SameBy: []string{"customer-id"}},
		{Column: "company", Of: "customer_id", Rank: 2},
		{Column: "stage", Rank: 4},
		{Column: "signed_at", Rank: 8, KeptBy: []string{"signed-from"}},
		{Column: "note", Rank: 3, SameBy: []string{"same"}, KeptBy: []string{"kept"}},
	}
	for _, tt := range []struct {
		sort    string
		filters []string
		column  string
		rank    int
	}{
		{"", nil, "customer", 0},
		{"", []string{"customer-id"}, "customer", rankSame},
		{"", nil, "signed_at", 8},
		{"", []string{"signed-from"}, "signed_at", 0},
		{"signed_at", nil, "signed_at", 0},
		{"id", nil, "stage", 0},
		{"customer_id", nil, "company", 0},
		{"note", []string{"kept", "same"}, "note", rankSame},
	} {
		fields := r.ranked(Output{Sort: tt.sort, Filters: tt.filters}, r.fields())
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Name == tt.column })
		if got := fields[at].Look.Rank; got != tt.rank {
			t.Errorf("--sort %s, %v: %s has rank %d, want %d", tt.sort, tt.filters, tt.column, got, tt.rank)
		}
	}
}

func FuzzTable(f *testing.F) {
	for i, s := range nastyTexts {
		f.Add(s, nastyTexts[(i+3)%len(nastyTexts)], 40+i*10)
	}
	f.Fuzz(func(t *testing.T, a, b string, width int) {
		o, out, _ := testOutput(t, "table")
		o.Width = max(width%300, 0)
		rows := []sample{{Customer: a, Note: &b}, {Customer: b, Company: &a}}
		if err := List(o, samples, rowsOf(rows)); err != nil {
			t.Fatal(err)
		}
		checkBox(t, out.String(), o.Width, 80)
		out.Reset()
		if err := Detail(o, samples, rows[0], &sample{Customer: a}); err != nil {
			t.Fatal(err)
		}
		checkBox(t, out.String(), o.Width, 60)
	})
}
