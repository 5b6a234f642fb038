package system

import (
	"errors"
	"fmt"

	"strowger/system/internal/console"
)

// shortestPassword is in bytes.
const shortestPassword = 8

// HashPassword returns the value of the setting admin.password_hash for a password of the console. The error says that the
// password is too short or too long. It takes about 20 MiB of memory for a moment.
func HashPassword(password string) (string, error) {
	switch {
	case len(password) < shortestPassword:
		return "", fmt.Errorf("the password has fewer than %d bytes", shortestPassword)
	case len(password) > console.LongestPassword:
		return "", errors.New("the password is too long")
	}
	return console.HashPassword(password), nil
}
