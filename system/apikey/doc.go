// Package apikey checks and makes the API keys of services. A key is a secret that is good for any number of connections. It
// makes its holder a service of one of the names that it was made for.
//
// A file has a line of JSON for each key, with an argon2id hash and not the key. A hash is meant to be expensive, so the number of
// those that are computed at once is bounded, and a key that was good is remembered.
package apikey
