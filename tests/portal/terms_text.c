/* The terms that a new portal starts with, in English and in Traditional Chinese. */
#include "store_terms.h"

const char terms_first_version[] = "1";

const char terms_first_english[] =
    "Certificate terms, version 1\n"
    "\n"
    "1. You receive two certificates: one to sign with and one to receive encrypted messages with. Both name you as "
    "you were registered.\n"
    "2. You make both key pairs on your own token. The private keys stay there; the certification authority never sees "
    "them.\n"
    "3. A signature made with your signing key binds you. Keep your PIN to yourself and type it only when you know what "
    "you are signing.\n"
    "4. An issued certificate is valid for use only after you have activated it on the machine that holds its keys.\n"
    "5. You tell the registration authority at once when a key, a PIN or a token is lost or may be known to others; "
    "your certificates are then suspended or revoked.\n"
    "6. You can renew during the last month before expiry. After expiry you register again.\n"
    "7. Keep old encryption keys for as long as you need to read what was encrypted to them.\n";

const char terms_first_chinese[] =
    "憑證使用條款，第 1 版\n"
    "\n"
    "1. 您將取得兩張憑證：一張用於簽章，一張用於接收加密訊息。兩張憑證均以您註冊的身分簽發。\n"
    "2. 兩組金鑰對均由您在自己的載具上產生。私鑰不會離開載具，憑證機構無從得知。\n"
    "3. 以您的簽章金鑰所做的簽章對您有拘束力。請勿將 PIN 碼告知他人，並僅在瞭解所簽內容時輸入。\n"
    "4. 憑證簽發後，須在持有金鑰的電腦上啟用方可使用。\n"
    "5. 金鑰、PIN 碼或載具遺失，或可能為他人所知時，請立即通知註冊中心，憑證將予停用或廢止。\n"
    "6. 憑證到期前一個月內可辦理展期；到期後須重新註冊。\n"
    "7. 請妥善保存舊的加密金鑰，直到不再需要讀取以其加密的資料為止。\n";
