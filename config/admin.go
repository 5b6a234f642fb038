package config

// conflicts returns what is wrong about the certificates of the admin pages.
func (a *Admin) conflicts() []conflict {
	const certificate, private, ca = "admin.tls_certificate", "admin.tls_key", "admin.client_ca"
	var list []conflict
	if a.TLSCertificate != "" && a.TLSKey == "" {
		list = append(list, conflict{[]string{private, certificate}, "is missing, " + certificate + " needs it"})
	}
	if a.TLSKey != "" && a.TLSCertificate == "" {
		list = append(list, conflict{[]string{certificate, private}, "is missing, " + private + " needs it"})
	}
	if a.ClientCA != "" && a.TLSCertificate == "" {
		list = append(list, conflict{[]string{certificate, ca}, "is missing, " + ca + " needs it"})
	}
	return list
}
