package servicetest_test

import (
	"testing"

	"go.uber.org/goleak"

	"strowger/system/service"
	"strowger/system/service/servicetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestLocal(t *testing.T) {
	servicetest.Run(t, func(t *testing.T, s *service.Service) servicetest.Home {
		return servicetest.Start(t, s, servicetest.Options{})
	})
}
