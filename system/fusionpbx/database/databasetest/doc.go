// Package databasetest runs a real PostgreSQL with FusionPBX's tables in it for the time of a test.
//
// A test that needs one is skipped on Windows and where there is no PostgreSQL, and fails there if the variable
// STROWGER_REQUIRE_POSTGRES is 1.
package databasetest
