package service_test

import (
	"testing"

	"strowger/system/service"
)

func TestErrorf(t *testing.T) {
	if got := service.Errorf(403, "not %s", "yours").Error(); got != "status 403: not yours" {
		t.Errorf("text %q", got)
	}
	for _, status := range []int{0, 200, 399, 600} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic at status %d", status)
				}
			}()
			_ = service.Errorf(status, "x")
		}()
	}
}
