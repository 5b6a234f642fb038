package demo

import (
	"maps"
	"slices"

	"strowger/system/token"
)

// User is somebody to be in the demo.
type User struct {
	ID    string
	Name  string
	Title string // what they are, and where
	Spec  token.Spec
}

// Users returns people who see more and more of the same calls. Their tokens subscribe to
// services, and are good for one connection each.
func Users(services ...string) []User {
	const view, domain, hangup = "call_active_view", "call_active_domain", "call_active_hangup"
	operator := []string{view, domain, "conference_active_view"}
	admin := append([]string{hangup, "call_active_application", "call_active_codec", "call_active_profile",
		"system_view_cpu", "system_view_network"}, operator...)
	all := append([]string{"call_active_all", "call_active_secure", "call_active_direction", ChaosPermission}, admin...)
	return []User{
		user("carol", "Carol Diaz", "extension 1001 of "+tenantA, services, tenantA, []string{view}, "1001@"+tenantA),
		user("alice", "Alice Moreau", "operator of "+tenantA, services, tenantA, operator, "1002@"+tenantA),
		user("adam", "Adam Okafor", "administrator of "+tenantA, services, tenantA, admin, "1003@"+tenantA),
		user("bob", "Bob Keller", "operator of "+tenantB, services, tenantB, operator, "1001@"+tenantB),
		user("root", "Superadmin", "everything, everywhere", services, tenantA, all),
	}
}

func user(id, name, title string, services []string, domain string, permissions []string, extensions ...string) User {
	return User{ID: id, Name: name, Title: title, Spec: token.Spec{
		Kind: token.User, Services: services, Permissions: slices.Sorted(slices.Values(permissions)),
		DomainName: domain, UserName: id, Extensions: extensions,
	}}
}

// FieldPermissions returns which permissions show a field of a call, any of them being enough.
func FieldPermissions() map[string][]string { return maps.Clone(callsPolicy().KeyPermissions) }
