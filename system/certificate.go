package system

import (
	"errors"
	"fmt"
	"log/slog"
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

// CheckCertificate reads the TLS files of a configuration, as New does, and returns what keeps a router from starting with
// them, or else what makes clients refuse the certificates at a time. Without TLS it returns nil.
func CheckCertificate(c *config.Config, now time.Time) error {
	certificate, err := loadCertificate(c)
	if err != nil {
		return aboutCertificate(err)
	}
	pages, err := newAdminTLS(&c.Admin, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	var problems []error
	if certificate != nil {
		if err := certificate.CheckTime(now); err != nil {
			problems = append(problems, fmt.Errorf("listen.tls_certificate, listen.tls_key: %w", err))
		}
	}
	if pages != nil {
		if err := pages.certificate.CheckTime(now); err != nil {
			problems = append(problems, fmt.Errorf("admin.tls_certificate, admin.tls_key: %w", err))
		}
	}
	return errors.Join(problems...)
}
