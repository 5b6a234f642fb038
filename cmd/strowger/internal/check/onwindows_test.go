package check

import (
	"os"
	"testing"
	"time"

	"strowger/system/token"
)

// TestWindows looks at a machine of Windows: nothing of systemd, nginx or the kernel is asked for.
func TestWindows(t *testing.T) {
	b := newBench(t, alone(t), "")
	b.o.Machine.Windows = true
	b.withSystemd("Id=websockets.service\nLoadState=loaded\nExecStart=strowger\n")
	b.write("etc/nginx/nginx.conf", "http { broken")
	f := b.check()
	for _, name := range []Name{UnitRouter, UnitPHP, NginxFiles, Descriptors, KernelBacklog, TokensOwners} {
		f.want(name, Note, "not looked at on this platform")
	}
	dir := b.o.Config.Tokens.Directory
	f.want(ListenPort, Warning, "is free")
	f.want(TokensDirectory, OK, dir, "access control list is not looked at")
	f.want(TokensNewest, OK, "no token file waits")
	f.want(ClockYear, OK)

	_, path, err := token.Create(dir, token.Spec{Limit: time.Minute}, token.PHP)
	if err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensNewest, OK, "is good")
	if err := os.WriteFile(path, []byte("<?php die();"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensNewest, Warning, "malformed", "docs/tokens.md")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	b.check().want(TokensDirectory, Error, "can claim no token", "set tokens.directory")
}
