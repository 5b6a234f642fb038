package system

import (
	"time"

	"strowger/config"
	"strowger/transport"
)

// loadCertificate reads the TLS certificate and key of a configuration; nil without TLS.
func loadCertificate(c *config.Config) (*transport.Certificate, error) {
	if c.Listen.TLSCertificate == "" {
		return nil, nil //nolint:nilnil // without TLS there is none, and that is no error
	}
	certificate, err := transport.LoadCertificate(c.Listen.TLSCertificate, c.Listen.TLSKey)
	if err != nil {
		return nil, err
	}
	return certificate, nil
}

const refusedCertificate = "clients refuse the certificate"

// checkCertificate warns of a certificate that clients refuse, and returns why.
func (s *System) checkCertificate() error {
	if s.certificate == nil {
		return nil
	}
	err := s.certificate.CheckTime(time.Now())
	if err != nil {
		s.log.Warn(refusedCertificate, "err", err, "setting", "listen.tls_certificate")
	}
	return err
}

// CheckCertificate reads the TLS certificate and key of a configuration, as New does, and returns what
// keeps a router from starting with them, or else what makes clients refuse them at a time. Without TLS
// it returns nil.
func CheckCertificate(c *config.Config, now time.Time) error {
	certificate, err := loadCertificate(c)
	if err != nil || certificate == nil {
		return err
	}
	return certificate.CheckTime(now)
}
