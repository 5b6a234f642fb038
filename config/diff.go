package config

// Change is one key that two configurations have different values for.
type Change struct {
	// Key is a key of ours, or the name FusionPBX's config.conf has for it.
	Key string `json:"key"`
	// Old and New are the values as a YAML file has them; passwords do not show.
	Old string `json:"old"`
	New string `json:"new"`
	// Reloadable tells whether New takes effect without a restart.
	Reloadable bool `json:"-"`
}

// Diff returns what differs between two configurations, in the order of the
// documentation; nil when nothing does.
func Diff(before, after *Config) []Change {
	var changes []Change
	oldValues, newValues := before.flatten(), after.flatten()
	for _, k := range keys() {
		was, is := format(oldValues[k.name]), format(newValues[k.name])
		if was == is && !k.changed(oldValues[k.name], newValues[k.name]) {
			continue
		}
		if k.name == passwordKey {
			was, is = redacted, redacted
		}
		changes = append(changes, Change{k.name, was, is, bool(k.apply)})
	}
	changes = append(changes, diffPolicies(before.Policies, after.Policies)...)
	newFields := after.FusionPBX.fields()
	for i, field := range before.FusionPBX.fields() {
		if field.text() != newFields[i].text() {
			changes = append(changes, Change{Key: field.names[0], Old: field.format(), New: newFields[i].format()})
		}
	}
	return changes
}

// changed tells whether two values of a secret differ, which their texts do not show.
func (k key) changed(before, after any) bool { return k.isSecret() && before != after }
