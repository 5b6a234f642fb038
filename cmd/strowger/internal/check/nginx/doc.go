// Package nginx reads as much of nginx's configuration as it takes to see how requests reach a router: its
// servers, their names and certificates, and the locations that pass requests on. It knows the inheritance of
// the directives that it asks for, and nothing of what other directives do.
package nginx
