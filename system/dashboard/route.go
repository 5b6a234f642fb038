package dashboard

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// routes is where Linux shows its IPv4 routes.
const routes = "/proc/net/route"

// defaultInterface returns the interface of the default route in a file such as routes, empty if
// there is none or, as on other systems, no such file.
func defaultInterface(file string) (string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read routes: %w", err)
	}
	defer f.Close()
	return readRoutes(f)
}

// readRoutes returns the interface of the default route with the lowest metric. Its columns are
// Iface Destination Gateway Flags RefCnt Use Metric Mask; a default route has zero destination and mask.
func readRoutes(r io.Reader) (string, error) {
	const up = 1
	best, lowest := "", uint64(0)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err != nil || flags&up == 0 {
			continue
		}
		metric, err := strconv.ParseUint(f[6], 10, 64)
		if err == nil && (best == "" || metric < lowest) {
			best, lowest = f[0], metric
		}
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read routes: %w", err)
	}
	return best, nil
}
