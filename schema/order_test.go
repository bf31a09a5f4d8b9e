package schema_test

import (
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// TestLongestTextIsIndexed: every text that the rules allow finds room in the indexes of its order, also of the
// characters that grow most as case and accents are taken from them.
func TestLongestTextIsIndexed(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Sample(t))
	growing := []rune(one[string](t, conn, `SELECT string_agg(chr(n), '' ORDER BY hashint4(n))
		FROM (
			SELECT n
			FROM generate_series(160, 65533) AS n
			WHERE n NOT BETWEEN 55296 AND 57343
			  AND is_line(chr(n))
			ORDER BY octet_length(fold(chr(n))) DESC
			LIMIT 255) AS most`))
	for _, different := range []int{1, 20, 60, 120, 255} { // what is repeated is compressed
		text := string([]rune(strings.Repeat(string(growing[:different]), 255/different+1))[:255])
		run(t, conn, "UPDATE customer SET fullname = $1, company = $1 WHERE id = 1", text)
		run(t, conn, "UPDATE event SET name = $1, location = $1 WHERE id = 1", text)
	}
}
