package token

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// shareAll lets others read, write and delete what is open here.
const shareAll = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE

// directory is an open token directory. Its access control list is not looked at.
type directory struct {
	handle windows.Handle
	path   string
	stat   windows.ByHandleFileInformation
	patient
}

// openDirectory is the function of that name, which does not wait for a free handle, for one who does.
func (p patient) openDirectory(path string) (*directory, error) {
	handle, err := p.retry(func() (int, error) { return openPath(path, windows.FILE_LIST_DIRECTORY|windows.FILE_TRAVERSE) })
	if err != nil {
		return nil, fmt.Errorf("%w: open directory %s: %w", ErrUnavailable, path, err)
	}
	d := &directory{handle: windows.Handle(handle), path: path, patient: p}
	if err := windows.GetFileInformationByHandle(d.handle, &d.stat); err != nil {
		d.close()
		return nil, fmt.Errorf("%w: stat directory %s: %w", ErrUnavailable, path, err)
	}
	if d.stat.FileAttributes&windows.FILE_ATTRIBUTE_DIRECTORY == 0 {
		d.close()
		return nil, fmt.Errorf("%w: open directory %s: not a directory", ErrUnavailable, path)
	}
	return d, nil
}

// openPath opens what a path leads to, a directory too.
func openPath(path string, access uint32) (int, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	handle, err := windows.CreateFile(name, access, shareAll, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	return int(handle), err
}

// current reports whether the directory's path still leads to it. The directory is open, so no other one can have
// its identity meanwhile.
func (d *directory) current() bool {
	handle, err := openPath(d.path, windows.FILE_READ_ATTRIBUTES)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(windows.Handle(handle)) //nolint:errcheck // it was open for reading
	var now windows.ByHandleFileInformation
	return windows.GetFileInformationByHandle(windows.Handle(handle), &now) == nil && sameFile(&now, &d.stat)
}

// sameFile reports whether two files are the same one.
func sameFile(a, b *windows.ByHandleFileInformation) bool {
	return a.VolumeSerialNumber == b.VolumeSerialNumber && a.FileIndexHigh == b.FileIndexHigh && a.FileIndexLow == b.FileIndexLow
}

// closeUnused closes the directory once nobody refers to it any more.
func (d *directory) closeUnused() {
	runtime.AddCleanup(d, func(h windows.Handle) { _ = windows.CloseHandle(h) }, d.handle)
}

func (d *directory) close() { _ = windows.CloseHandle(d.handle) }

// writable returns an error when no file can be added to the directory. Whether a file can be deleted is
// known only when it is.
func (d *directory) writable() error {
	const addFile = windows.FILE_WRITE_DATA // what the right is called for a directory
	handle, err := openPath(d.path, addFile)
	if err != nil {
		return fmt.Errorf("%w: directory %s: not writable: %w", ErrUnavailable, d.path, err)
	}
	_ = windows.CloseHandle(windows.Handle(handle))
	return nil
}

// list opens the directory's list of names. The caller must close it.
func (d *directory) list() (*os.File, error) { return os.Open(d.path) }

// look returns when the content of a file was written last. There is no owner's number.
func (d *directory) look(name string) (owner int, written time.Time, err error) {
	f, err := d.openFile(name, windows.FILE_READ_ATTRIBUTES, shareAll)
	if err != nil {
		return noOwner, time.Time{}, err
	}
	defer f.close()
	return noOwner, f.changed(), nil
}

// ownerOf returns noOwner: there are no user ids.
func ownerOf(fs.FileInfo) int { return noOwner }

// file is an open candidate for a token. What is asked about it is asked of the
// open file, never of its name, so that nobody can swap it in between.
type file struct {
	dir    *directory
	name   string
	handle windows.Handle
	stat   windows.ByHandleFileInformation
}

// open opens a file of the directory without following a link.
func (d *directory) open(name string) (*file, error) {
	return d.openFile(name, windows.FILE_GENERIC_READ, shareAll)
}

// openFile opens a file of the directory itself, also if it is a link.
func (d *directory) openFile(name string, access, share uint32) (*file, error) {
	text, err := windows.NewNTUnicodeString(name)
	if err != nil {
		return nil, fmt.Errorf("%w: open token file: %w", ErrUnavailable, err)
	}
	about := &windows.OBJECT_ATTRIBUTES{RootDirectory: d.handle, ObjectName: text, Attributes: windows.OBJ_CASE_INSENSITIVE}
	about.Length = uint32(unsafe.Sizeof(*about))
	const options = windows.FILE_OPEN_REPARSE_POINT | windows.FILE_NON_DIRECTORY_FILE | windows.FILE_SYNCHRONOUS_IO_NONALERT
	f := &file{dir: d, name: name}
	err = windows.NtCreateFile(&f.handle, access|windows.SYNCHRONIZE, about, &windows.IO_STATUS_BLOCK{}, nil, 0, share, windows.FILE_OPEN, options, 0, 0)
	switch {
	case err == nil:
	case errors.Is(errno(err), fs.ErrNotExist), errors.Is(err, windows.STATUS_DELETE_PENDING):
		return nil, ErrNotFound
	case errors.Is(err, windows.STATUS_FILE_IS_A_DIRECTORY):
		return nil, fmt.Errorf("%w: not a regular file", ErrUntrusted)
	case errors.Is(err, windows.STATUS_ACCESS_DENIED), errors.Is(err, windows.STATUS_SHARING_VIOLATION):
		return nil, &deniedError{action: "read", owner: noOwner, err: errno(err)}
	default:
		return nil, fmt.Errorf("%w: open token file: %w", ErrUnavailable, errno(err))
	}
	if err := windows.GetFileInformationByHandle(f.handle, &f.stat); err != nil {
		f.close()
		return nil, fmt.Errorf("%w: stat token file: %w", ErrUnavailable, err)
	}
	return f, nil
}

// errno returns the error that the functions of package os would return.
func errno(err error) error {
	if status, ok := errors.AsType[windows.NTStatus](err); ok {
		return status.Errno()
	}
	return err
}

func (f *file) close() { _ = windows.CloseHandle(f.handle) }

func (f *file) size() int64 { return int64(f.stat.FileSizeHigh)<<32 | int64(f.stat.FileSizeLow) }

func (f *file) readSome(p []byte) (int, error) { return windows.Read(f.handle, p) }

// changed returns when the content of the file was written last.
func (f *file) changed() time.Time { return time.Unix(0, f.stat.LastWriteTime.Nanoseconds()) }

// trusted returns an error unless the file is a regular one with one name. Who may have written it is not looked at.
func (f *file) trusted([]int) error {
	const odd = windows.FILE_ATTRIBUTE_DIRECTORY | windows.FILE_ATTRIBUTE_REPARSE_POINT | windows.FILE_ATTRIBUTE_DEVICE
	switch {
	case f.stat.FileAttributes&odd != 0:
		return fmt.Errorf("%w: not a regular file", ErrUntrusted)
	case f.stat.NumberOfLinks == 0:
		return ErrNotFound
	case f.stat.NumberOfLinks != 1:
		return fmt.Errorf("%w: %d links, want 1", ErrUntrusted, f.stat.NumberOfLinks)
	}
	return nil
}

// remove deletes the file if its name still leads to it, and returns ErrNotFound to everyone but the one who deleted
// it. It opens the file for deletion and keeps others from doing so meanwhile. The file is deleted by that
// handle, whatever its name leads to by then.
func (f *file) remove() error {
	const withoutDelete = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE
	last, err := f.dir.openFile(f.name, windows.DELETE|windows.FILE_READ_ATTRIBUTES, withoutDelete)
	switch {
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION):
		return fmt.Errorf("%w: another program is deleting it, or keeps it open", ErrNotFound)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return &deniedError{action: "delete", owner: noOwner, err: windows.ERROR_ACCESS_DENIED}
	case err != nil:
		return err
	}
	defer last.close()
	if !sameFile(&last.stat, &f.stat) {
		return fmt.Errorf("%w: replaced while it was read", ErrNotFound)
	}
	if err := last.trusted(nil); err != nil { // it may have got a second name meanwhile
		return err
	}
	switch err := last.dispose(); {
	case errors.Is(err, windows.STATUS_DELETE_PENDING):
		return ErrNotFound
	case err != nil:
		return &deniedError{action: "delete", owner: noOwner, err: errno(err)}
	}
	return nil
}

// dispose has the system delete the file when its handle is closed: at once where the file system can do so, and
// otherwise when everybody else has closed it too. Until then nobody can open it.
func (f *file) dispose() error {
	const now = windows.FILE_DISPOSITION_DELETE | windows.FILE_DISPOSITION_POSIX_SEMANTICS | windows.FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE
	flags := uint32(now)
	err := windows.NtSetInformationFile(f.handle, &windows.IO_STATUS_BLOCK{}, (*byte)(unsafe.Pointer(&flags)), uint32(unsafe.Sizeof(flags)), windows.FileDispositionInformationEx)
	if !errors.Is(err, windows.STATUS_INVALID_INFO_CLASS) && !errors.Is(err, windows.STATUS_INVALID_PARAMETER) && !errors.Is(err, windows.STATUS_NOT_SUPPORTED) && !errors.Is(err, windows.STATUS_NOT_IMPLEMENTED) {
		return err
	}
	deleted := byte(1)
	return windows.NtSetInformationFile(f.handle, &windows.IO_STATUS_BLOCK{}, &deleted, 1, windows.FileDispositionInformation)
}
