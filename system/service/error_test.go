package service_test

import (
	"fmt"
	"testing"

	"strowger/system/service"
)

func TestErrorf(t *testing.T) {
	if got := service.Errorf(403, "not %s", "yours").Error(); got != "status 403: not yours" {
		t.Errorf("text %q", got)
	}
	for _, status := range []int{0, 200, 399, 600} {
		if got, want := service.Errorf(status, "x").Error(), fmt.Sprintf("status %d: x", status); got != want {
			t.Errorf("text %q, want %q", got, want)
		}
	}
}
