package system

import (
	"encoding/json"
	"fmt"
	"testing"

	"strowger/system/internal/console"
)

// A page of the table is no larger for many connections, and has the ones that were asked for.
func TestConsoleWithACrowd(t *testing.T) {
	const crowd = 300 // the process may have few descriptors
	s := start(t, consoleConfig(t))
	o := operate(t, s)
	for i := range crowd {
		join(t, s, user(fmt.Sprintf("d%03d.example", i), nil, "weather"))
	}
	var rows all[console.Connection]
	seen := make(map[uint64]bool)
	for offset := 0; offset < crowd; offset += 100 {
		_, text := o.ask("connections", fmt.Sprintf(`{"sort":"domain","offset":%d,"limit":100}`, offset), nil)
		rows = all[console.Connection]{}
		if err := json.Unmarshal([]byte(text), &rows); err != nil {
			t.Fatal(err)
		}
		if rows.Total != crowd || rows.Matched != crowd || len(rows.Rows) != 100 || rows.Rows[0].Domain != fmt.Sprintf("d%03d.example", offset) {
			t.Fatalf("from %d on: %d of %d, %d rows, the first one is %s", offset, rows.Matched, rows.Total, len(rows.Rows), rows.Rows[0].Domain)
		}
		for _, row := range rows.Rows {
			seen[row.Number] = true
		}
	}
	if len(seen) != crowd {
		t.Errorf("%d connections on all pages", len(seen))
	}
}
