// Package check looks at the whole way from a browser to a router and what the router needs, as an operator
// would, and says what is wrong and what mends it. It only asks, and changes nothing.
package check
