// Web Crypto as section 3 uses it: what a browser has, and nothing else.

import { Refused } from "./json.mjs";

const { subtle } = globalThis.crypto;
const PSS = { name: "RSA-PSS", hash: "SHA-256" };
const OAEP = { name: "RSA-OAEP", hash: "SHA-256" };
const SALTS = [478, 32]; // a browser needs to be told

export const bytes = (...parts) => {
  const said = parts.map((part) =>
      (part instanceof Uint8Array ? part : new TextEncoder().encode(String(part))));
  const joined = new Uint8Array(said.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of said) { joined.set(part, at); at += part.length; }
  return joined;
};
export const equal = (one, other) => one.length === other.length &&
    one.every((byte, at) => byte === other[at]);
export const hex = (data) => [...data].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text) =>
    Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

export const b64 = (data) =>
    btoa(String.fromCharCode(...data)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

// The bytes of base64url, padded as it must be or not at all.
export function unb64(text) {
  const [, bare, padding] = /^([A-Za-z0-9_-]*)(=*)$/.exec(text) ?? [];
  const due = (4 - (bare?.length ?? 1) % 4) % 4;
  if (bare === undefined || text.endsWith("\n") || due === 3 ||
      (padding && padding.length !== due)) throw new Refused("no base64url");
  const data = Uint8Array.from(atob(bare.replaceAll("-", "+").replaceAll("_", "/")),
      (unit) => unit.charCodeAt(0));
  if (b64Long(data) !== bare) throw new Refused("bits that belong to no byte");
  return data;
}
const b64Long = (data) => {
  let text = "";
  for (let at = 0; at < data.length; at += 3 * 4096) text += b64(data.subarray(at, at + 3 * 4096));
  return text;
};

export const sha256 = async (...parts) =>
    new Uint8Array(await subtle.digest("SHA-256", bytes(...parts)));
export const sha512 = async (...parts) =>
    new Uint8Array(await subtle.digest("SHA-512", bytes(...parts)));

const keys = new Map();
export async function keyPair(row) {
  if (!keys.has(row.name)) {
    const pkcs8 = Uint8Array.from(atob(row.private_pem.replace(/-----[^-]+-----|\s/g, "")),
        (unit) => unit.charCodeAt(0));
    const der = unb64(row.public);
    keys.set(row.name, {
      der,
      verifying: await subtle.importKey("spki", der, PSS, false, ["verify"]),
      opening: await subtle.importKey("pkcs8", pkcs8, OAEP, false, ["decrypt"]),
    });
  }
  return keys.get(row.name);
}

export async function signed(key, sig, text) {
  let signature;
  try { signature = unb64(sig); } catch { return false; }
  for (const saltLength of SALTS) {
    if (await subtle.verify({ ...PSS, saltLength }, key.verifying, signature, text)) return true;
  }
  return false;
}

// Ed25519, of a session key.
export async function signedFast(raw, signature, text) {
  const key = await subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return subtle.verify("Ed25519", key, signature, text);
}

export async function oaep(key, ciphertext) {
  if (ciphertext.length !== 512) return null;
  try { return new Uint8Array(await subtle.decrypt(OAEP, key.opening, ciphertext));
  } catch { return null; }
}

// nonce || AES-256-GCM ciphertext and tag
export async function gcm(keyBytes, sealed, additionalData) {
  if (keyBytes?.length !== 32 || sealed.length < 28) return null;
  const key = await subtle.importKey("raw", keyBytes, "AES-GCM", false, ["decrypt"]);
  const form = { name: "AES-GCM", iv: sealed.subarray(0, 12), additionalData };
  try { return new Uint8Array(await subtle.decrypt(form, key, sealed.subarray(12)));
  } catch { return null; }
}

export async function hkdf(secret, info) {
  const key = await subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const form = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: bytes(info) };
  return new Uint8Array(await subtle.deriveBits(form, key, 256));
}

// The DER of an RSA-4096 key with e = 65537 is always this, around its 512 bytes of modulus.
const HEAD = unhex("30820222300d06092a864886f70d01010105000382020f003082020a0282020100");
const TAIL = unhex("0203010001");
const ARMOUR = /^-----BEGIN PUBLIC KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END PUBLIC KEY-----\s*$/;

// The DER of a key's text, in any form that section 13 lists.
export function keyText(text) {
  if (text.length > 4096) throw new Refused("a long text");
  let der = text.startsWith("-----BEGIN") ? unarmoured(text) : decoded(text);
  const inner = String.fromCharCode(...der.subarray(0, 10));
  if (inner === "-----BEGIN") der = unarmoured(String.fromCharCode(...der));
  const fits = der.length === HEAD.length + 512 + TAIL.length &&
      equal(der.subarray(0, HEAD.length), HEAD) && equal(der.subarray(-TAIL.length), TAIL);
  if (!fits) throw new Refused("no SubjectPublicKeyInfo of RSA-4096 with e = 65537");
  const modulus = der.subarray(HEAD.length, -TAIL.length);
  if (modulus[0] < 0x80 || modulus[511] % 2 === 0) throw new Refused("a short or even modulus");
  return der;
}
const decoded = (text) => unb64(text.replaceAll("+", "-").replaceAll("/", "_"));
function unarmoured(pem) {
  const [, inner] = ARMOUR.exec(pem) ?? [];
  if (inner === undefined) throw new Refused("no PEM");
  return decoded(inner.replace(/\s/g, ""));
}
