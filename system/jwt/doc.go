// Package jwt checks JSON Web Tokens (RFC 7519) and says what their holders may do.
//
// A key is good for one algorithm, which the settings or the key itself name and a token cannot choose. Keys come from files
// and from URLs that serve a JWK Set (RFC 7517). A set is fetched beside the authentications: one that needs a key which is
// not there yet waits for it for a bounded time.
//
// Signatures are computed by github.com/golang-jwt/jwt, which brings no other modules. This package reads headers, claims and
// keys itself, and more strictly: it refuses what two readers could understand in two ways.
package jwt
