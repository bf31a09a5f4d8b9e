package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/epicevents/crm/cli/cmdline"
	"github.com/epicevents/crm/cli/config"
	"github.com/epicevents/crm/internal/files"
)

func (e *examination) configuration() {
	const check = "configuration"
	if e.Config.Invalid != nil {
		e.addError(check, e.Config.Invalid)
		return
	}
	if e.Config.File == "" {
		e.add(check, healthOK, "", "no file; only flags, CRM_ variables and defaults")
		return
	}
	file := e.Config.File
	info, err := os.Stat(file)
	switch {
	case err != nil:
		e.add(check, healthFailed, "", "%s cannot be looked at", file)
	case files.OthersMay(info, files.ToWrite):
		e.add(check, healthWarning, "chmod go-w "+file, "others can change %s, and with it which database is used", config.DescribeFile(file, info))
	case len(e.Config.Secrets) > 0 && files.OthersMay(info, files.ToRead):
		e.add(check, healthWarning, "chmod 600 "+file, "others can read %s, which has %s",
			config.DescribeFile(file, info), strings.Join(e.Config.Secrets, " and "))
	default:
		e.add(check, healthOK, "", "%s", config.DescribeFile(file, info))
	}
}

func (e *examination) isIn(file, key string) bool {
	return strings.HasPrefix(e.Config.Source[key], file+":")
}

func (e *examination) signing() {
	const check, key = "signing key", "controller.auth_secret_key"
	source := e.Config.Source[key]
	switch {
	case source == cmdline.Dashed(key):
		e.add(check, healthWarning, "give it in CRM_CONTROLLER_AUTH_SECRET_KEY or in a file of mode 600",
			"given on the command line, where others on this machine can see it")
		return
	case e.Config.AuthSecretKey != "":
		e.add(check, healthOK, "", "from %s", source)
		return
	case e.mayBeUnread(key) || e.mayBeUnread("database.url"):
		e.add(check, healthWarning, "", "not known: it may be in the configuration that cannot be used")
		return
	case !e.IsLocal():
		_, err := e.SigningKey()
		e.addError(check, err)
		return
	}
	name := e.KeyFile()
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		e.add(check, healthOK, "", "not made yet; it will be in %s", name)
		return
	}
	if _, err := e.SigningKey(); err != nil {
		e.addError(check, err)
		return
	}
	if err == nil && files.OthersMay(info, files.ToRead) {
		e.add(check, healthWarning, "chmod 600 "+name, "others can read %s, and act as anyone", config.DescribeFile(name, info))
		return
	}
	e.add(check, healthOK, "", "in %s", config.DescribeFile(name, info))
}

// tokenFiles looks at the token as the next command will.
func (e *examination) tokenFiles() {
	const check = "token"
	name := e.TokenFile()
	token, err := e.Token()
	folder, folderErr := os.Stat(filepath.Dir(name))
	switch {
	case err != nil:
		e.addError(check, err)
	case e.TokenVariable() == "CRM_TOKEN_FILE" && e.tokenExposed():
		name = e.Getenv("CRM_TOKEN_FILE")
		e.add(check, healthWarning, "chmod 600 "+name, "others can read or change %s, and act as you", name)
	case e.TokenVariable() != "":
		e.add(check, healthOK, "", "from %s", e.TokenVariable())
	case folderErr == nil && files.OthersMay(folder, files.ToWrite) && folder.Mode()&fs.ModeSticky == 0:
		e.add(check, healthWarning, "chmod 700 "+filepath.Dir(name), "others can put another token into %s", config.DescribeFile(filepath.Dir(name), folder))
	case token == "":
		e.add(check, healthOK, "", "none: nobody is logged in")
	default:
		if info, err := os.Lstat(name); err == nil {
			name = config.DescribeFile(name, info)
		}
		e.add(check, healthOK, "", "in %s", name)
	}
}

// tokenExposed reports whether others can get at the file that CRM_TOKEN_FILE names.
func (e *examination) tokenExposed() bool {
	info, err := os.Stat(e.Getenv("CRM_TOKEN_FILE"))
	return err == nil && info.Mode().IsRegular() && files.OthersMay(info, files.ToRead|files.ToWrite)
}

// localFiles looks whether anybody else can get at the local database.
func (e *examination) localFiles() {
	const check = "local files"
	folder := e.Cluster().Dir()
	data, socket := filepath.Join(folder, "data"), filepath.Join(folder, "socket")
	dataInfo, err := os.Stat(data)
	socketInfo, socketErr := os.Stat(socket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.add(check, healthOK, "", "none yet in %s", folder)
	case err != nil:
		e.add(check, healthWarning, "see who owns "+folder, "%s cannot be looked at", data)
	case files.OthersMay(dataInfo, 0o027): // PostgreSQL lets a group read
		e.add(check, healthFailed, "chmod 700 "+data, "others can get into %s; PostgreSQL does not start on it", config.DescribeFile(data, dataInfo))
	case socketErr == nil && files.OthersMay(socketInfo, files.ToRead|files.ToWrite|files.ToEnter):
		e.add(check, healthWarning, "chmod 700 "+socket, "others can get into %s, and do anything in the database", config.DescribeFile(socket, socketInfo))
	default:
		e.add(check, healthOK, "", "%s", config.DescribeFile(data, dataInfo))
	}
}

// directMode tells what it means that crm reaches the database itself: its permissions bind those only who know neither
// the signing key nor the database's URL.
func (e *examination) directMode() {
	const check, advice = "direct mode", "give them to nobody who may not do everything"
	status := healthOK
	var places []string
	add := func(place string, exposed bool) {
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
		if exposed {
			status = healthWarning
		}
	}
	for _, key := range []string{"database.url", "controller.auth_secret_key"} {
		source := e.Config.Source[key]
		switch {
		case e.isIn(e.Config.File, key) || e.mayBeUnread(key):
			if info, err := os.Stat(e.Config.File); err == nil {
				add(config.DescribeFile(e.Config.File, info), files.OthersMay(info, files.ToRead))
			}
		case source == cmdline.Dashed(key):
			add("the command line", true)
		case source != "":
			add("the variable "+source, false)
		case !e.IsLocal():
			// There is no key, which is a finding of its own.
		case key == "database.url":
			add("the local database's folder "+e.Cluster().Dir(), false)
		default:
			if info, err := os.Stat(e.KeyFile()); err == nil {
				add(config.DescribeFile(e.KeyFile(), info), files.OthersMay(info, files.ToRead))
			}
		}
	}
	e.add(check, status, advice, "whoever has the database's URL and the signing key can act as any employee; they are in %s", strings.Join(places, ", "))
}
