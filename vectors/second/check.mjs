// Runs the vectors by a second hand: Web Crypto, as a browser has it, and nothing else.
//
//   node vectors/second/check.mjs [FILE ...]
//
// Says for each file how many cases it has, and for each case that does not fit what was found.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { keyPair } from "./crypt.mjs";
import { CRYPTO } from "./crypto.mjs";
import { FOREIGN } from "./foreign.mjs";
import { Refused } from "./json.mjs";
import { WIRE } from "./wire.mjs";

const FILES = { ...CRYPTO, ...WIRE, ...FOREIGN };
const read = (name) =>
    JSON.parse(readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), "utf8")).cases;
const keys = new Map(read("keys/test-keys.json").map((row) => [row.name, row]));

// Members that a case leaves out are as the README says; `says` is in everybody's own words.
const due = (c, name) =>
    (name === "says" && c.says !== null ? "refused" : name === "refused" ? c.refused ?? false :
    name === "sig" ? c.sig ?? "" : c[name]);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

async function faultOf(c, judge) {
  const key = keys.has(c.key) ? await keyPair(keys.get(c.key)) : null;
  let found;
  try { found = await judge(c, key); } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    return `refused: ${fault.message}`;
  }
  const told = Object.entries(found).filter(([name]) => name in c || name === "refused");
  if (!told.length) return "nothing was compared";
  const wrong = told.filter(([name, value]) => !same(value, due(c, name)));
  return wrong.map(([name, value]) =>
      `${name} is ${JSON.stringify(value)}, and should be ${JSON.stringify(c[name])}`).join("; ");
}

let faults = 0;
for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(FILES)) {
  const cases = read(name);
  for (const c of cases) {
    const fault = await faultOf(c, FILES[name]);
    if (!fault) continue;
    faults += 1;
    console.log(`${name}: ${c.why ?? c.name}: ${fault}`);
  }
  console.log(`${name} ${cases.length}`);
}
process.exitCode = faults ? 1 : 0;
