// go_sign MODULE TOKEN ID INPUT OUTPUT: signs a file with the private key of that id (SHA-256, PKCS#1), as any program with
// the binding github.com/miekg/pkcs11 would.
package main

import (
	"encoding/hex"
	"errors"
	"log"
	"os"

	"github.com/miekg/pkcs11"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func findSlot(module *pkcs11.Ctx, label string) uint {
	slots, err := module.GetSlotList(true)
	must(err)
	for _, slot := range slots {
		info, err := module.GetTokenInfo(slot)
		must(err)
		if info.Label == label {
			return slot
		}
	}
	must(errors.New("there is no such token"))
	return 0
}

func findKey(module *pkcs11.Ctx, session pkcs11.SessionHandle, id []byte) pkcs11.ObjectHandle {
	must(module.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_ID, id),
	}))
	keys, _, err := module.FindObjects(session, 2)
	must(err)
	must(module.FindObjectsFinal(session))
	if len(keys) != 1 {
		must(errors.New("there is no such key"))
	}
	return keys[0]
}

func main() {
	log.SetFlags(0)
	module := pkcs11.New(os.Args[1])
	if module == nil {
		log.Fatal("the module cannot be loaded")
	}
	must(module.Initialize())
	session, err := module.OpenSession(findSlot(module, os.Args[2]), pkcs11.CKF_SERIAL_SESSION)
	must(err)
	must(module.Login(session, pkcs11.CKU_USER, "")) // the module asks
	id, err := hex.DecodeString(os.Args[3])
	must(err)
	data, err := os.ReadFile(os.Args[4])
	must(err)
	key := findKey(module, session, id)
	must(module.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_SHA256_RSA_PKCS, nil)}, key))
	signature, err := module.Sign(session, data)
	must(err)
	must(os.WriteFile(os.Args[5], signature, 0o600))
	must(module.Logout(session))
	must(module.CloseSession(session))
	must(module.Finalize())
}
