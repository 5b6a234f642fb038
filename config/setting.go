package config

// Setting is one of FusionPBX's default settings, as its database has it.
type Setting struct {
	Category    string
	Subcategory string
	Type        string // text, numeric, boolean, array and others
	Value       string
}
