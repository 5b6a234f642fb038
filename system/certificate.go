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

// checkCertificate warns of a certificate that clients refuse.
func (s *System) checkCertificate() {
	if s.certificate == nil {
		return
	}
	if err := s.certificate.CheckTime(time.Now()); err != nil {
		s.log.Warn("clients refuse the certificate", "err", err, "setting", "listen.tls_certificate")
	}
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
