package schema_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/epicevents/crm/internal/dbtest"
)

// uncompared are the columns of what comes in that make no difference to a row that is there already, and why.
var uncompared = map[string]string{
	"customer_import.archived_at": "only crm customer archive changes it", "customer_import.created_at": "it does not change",
	"contract_import.number": "it does not change", "contract_import.signed_at": "signed is compared", "contract_import.sold_by": "signed is compared",
	"contract_import.cancelled_at": "only crm contract cancel changes it", "contract_import.cancel_reason": "so it is with the reason",
	"contract_import.created_at": "it does not change",
	"payment_import.contract_id": "the contract that is found by it is compared", "payment_import.number": "the contract that is found by it is compared",
	"payment_import.recorded_by": "it does not change", "payment_import.recorded_at": "it does not change",
	"payment_import.voided_at": "only crm payment void changes it", "payment_import.voided_by": "so it is with who did it",
	"payment_import.void_reason": "so it is with the reason",
	"event_import.contract_id":   "the contract that is found by it is compared", "event_import.number": "the contract that is found by it is compared",
	"event_import.cancelled_at": "only crm event cancel changes it", "event_import.cancel_reason": "so it is with the reason",
	"event_import.clash_allowed": "only setting the support or a time changes it",
	"employee_import.active":     "only crm employee deactivate changes it",
}

// TestImportsCompareEveryColumn: a column that comes in is compared with what is there, or is one of those that are not and
// why is known. One that is forgotten would leave a changed row as unchanged.
func TestImportsCompareEveryColumn(t *testing.T) {
	t.Parallel()
	conn := dbtest.Connect(t, dbtest.Empty(t))
	left := maps.Clone(uncompared)
	columns := all[string](t, conn, `
		SELECT attrelid::regclass || '.' || attname
		FROM pg_attribute
		JOIN pg_class ON pg_class.oid = attrelid
		WHERE relnamespace = 'public'::regnamespace
		  AND relkind = 'r'
		  AND relname LIKE '%\_import'
		  AND attnum > 0
		  AND NOT attisdropped
		  AND attname NOT IN ('line', 'bad', 'empties', 'id')
		ORDER BY 1`)
	if len(columns) < 40 {
		t.Fatalf("only %v come in", columns)
	}
	for _, column := range columns {
		table, name, _ := strings.Cut(column, ".")
		source := all[string](t, conn, "SELECT pg_get_functiondef('"+table+"_given'::regproc)")[0]
		_, changes, begins := strings.Cut(source, "array_remove(ARRAY[")
		changes, _, ends := strings.Cut(changes, "], NULL::")
		if !begins || !ends {
			t.Fatalf("%s_given compares nothing: %s", table, source)
		}
		words := strings.FieldsFunc(changes, func(r rune) bool { return r != '.' && r != '_' && (r < 'a' || r > 'z') })
		compared := slices.Contains(words, "staged."+name) || slices.Contains(words, name+".id")
		if _, known := left[column]; compared == known {
			t.Errorf("%s is compared: %t, and among those that are not: %t", column, compared, known)
		}
		delete(left, column)
	}
	if len(left) > 0 {
		t.Errorf("%v are no columns that come in", slices.Sorted(maps.Keys(left)))
	}
}
