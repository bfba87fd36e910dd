// The npm package age-encryption as a filter: node age_encryption.mjs encrypt|decrypt|keygen [FILE]
// encrypt reads a recipient from FILE, decrypt an identity; the data pass through stdin and stdout.
import { readFileSync } from "node:fs";
import { Decrypter, Encrypter, generateHybridIdentity, identityToRecipient } from "age-encryption";

const [word, file] = process.argv.slice(2);
const key = file ? readFileSync(file, "utf8").trim() : "";

if (word === "keygen") {
  const identity = await generateHybridIdentity();
  process.stdout.write(`${identity}\n${await identityToRecipient(identity)}\n`);
} else if (word === "encrypt") {
  const encrypter = new Encrypter();
  encrypter.addRecipient(key);
  process.stdout.write(await encrypter.encrypt(readFileSync(0)));
} else if (word === "decrypt") {
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  process.stdout.write(await decrypter.decrypt(readFileSync(0)));
} else {
  process.stderr.write(`unknown word ${word}\n`);
  process.exit(2);
}
