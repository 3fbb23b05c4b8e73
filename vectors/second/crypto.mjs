// What each file in crypto/ says, done once more. Each function gives what it found.

import { argon2id } from "./argon2.mjs";
import { b64, bytes, equal, gcm, hex, hkdf, keyPair, keyText, oaep, sha256, sha512, signed,
    signedFast, unb64, unhex } from "./crypt.mjs";
import { canonical, parse, Refused, reread } from "./json.mjs";

const ID = /^[\x00-\x7f]{36}$/, TS = /^[0-9]{13}$/;
const MADE_BY_HOPS = ["bind", "content_sig", "inner_type", "late", "queued", "sender", "user_id"];
const text = (data) => (data === null ? null : b64(data));

export function checkFields(from, to, ts) {
  if (!ID.test(from) || !(ID.test(to) || to === "public") ||
      !TS.test(String(ts))) throw new Refused("a field of another width");
}

async function anyOf(key, sig, texts) {
  for (const each of texts) if (await signed(key, sig, each)) return true;
  return false;
}

async function transport(c, key) {
  const payload = parse(c.payload);
  return { holds: await anyOf(key, c.sig,
      [bytes(canonical(payload)), bytes(canonical(payload, false))]) };
}

// --- content_sig ---------------------------------------------------------------------------------

async function contentForm(c, key) {
  if (c.kind === "manifest" ||
      c.kind === "shares") return { holds: await anyOf(key, c.content_sig, await whole(c)) };
  checkFields(c.from, c.kind === "public" ? "public" : c.to, c.ts);
  const chunk = c.kind === "chunk";
  if (chunk && !(ID.test(c.file_id) && 0 <= c.index &&
      c.index < c.total)) throw new Refused("no place in a file");
  const place = chunk ? [c.file_id, c.index, c.total] : [];
  const tail = bytes(c.from, c.kind === "public" ? "" : c.to, c.ts, ...place);
  const raw = bytes(unb64(c.ciphertext), tail), asText = bytes(c.ciphertext, tail);
  const to = c.kind === "public" ? "public" : c.to;
  const json = canonical(reread({ ciphertext: c.ciphertext, from: c.from, to, ts: c.ts }));
  const forms = { raw, text: asText, "raw-digested": await sha256(raw),
      "text-digested": await sha256(asText) };
  if (!chunk) forms.json = bytes(json);
  for (const [form, said] of Object.entries(forms)) if (await signed(key, c.content_sig,
      said)) return { form };
  return { form: null };
}

async function whole(c) {
  if (c.kind === "shares") {
    const shares = reread(c.shares);
    return [true, false].map((ascii) => bytes(canonical(shares, ascii), keyText(c.creator_pub)));
  }
  const own = Object.fromEntries(Object.entries(c.members).filter(([name]) =>
      !MADE_BY_HOPS.includes(name)));
  const said = "sender" in c.members ? [own, { ...own, sender: c.members.sender }] : [own];
  return said.flatMap((members) =>
      [true, false].map((ascii) => bytes(canonical(reread(members), ascii), c.from, c.to, c.ts)));
}

async function contentSig(c, key) {
  if (c.form !== "refused") return contentForm(c, key);
  try { return await contentForm(c, key); } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
    return { form: "refused" };
  }
}

// --- what is sealed ------------------------------------------------------------------------------

async function hybrid(c, key) {
  const data = unb64(c.ciphertext);
  const aad = bytes("socp-hybrid/1", c.from, c.to, c.ts, await sha256(key.der));
  const content = data.length < 540 ? null : await oaep(key, data.subarray(0, 512));
  return { plaintext: content && text(await gcm(content, data.subarray(512), aad)) };
}

async function channelBox(c) {
  const der = keyText(c.channel_pub);
  const aad = bytes("socp-channel/1", c.version, await sha256(der));
  const opened = await gcm(unb64(c.group_key), unb64(c.box), aad);
  if (opened === null) return { holds: false };
  const form = { name: "RSA-OAEP", hash: "SHA-256" };
  let jwk;
  try {
    const key = await crypto.subtle.importKey("pkcs8", opened, form, true, ["decrypt"]);
    jwk = await crypto.subtle.exportKey("jwk", key);
  } catch { return { holds: false }; }
  return { holds: equal(unb64(jwk.n), der.subarray(33, 545)) };
}

async function fileChunk(c) {
  if (!(0 <= c.index && c.index < c.total)) return { plaintext: null };
  const aad = bytes(c.file_id, c.index, c.total);
  return { plaintext: text(await gcm(unb64(c.file_key), unb64(c.ciphertext), aad)) };
}

// --- texts with a label --------------------------------------------------------------------------

const stepOf = (c) => [c.user_id, c.old_fingerprint, c.new_fingerprint, c.version, c.ts];
const LABELLED = {
  "socp-link-auth/1": (c) => [c.own_id, c.peer_id, unb64(c.nonce), unb64(c.exporter)],
  "socp-attach/1": async (c) =>
      [c.user_id, c.server_id, c.ts, await sha256(canonical(reread({ features: c.features })))],
  "socp-directory/1": (c) => [c.user_id, c.fingerprint, c.version],
  "socp-login/1": (c) => [c.user_id, c.server_id, unb64(c.client_nonce), unb64(c.server_nonce)],
  "socp-password/1": async (c) =>
      [c.user_id, c.server_id, await sha256(unb64(c.request)), await sha256(unb64(c.response))],
  "socp-rotate/1": stepOf,
  "socp-rotate-new/1": (c) => [...stepOf(c), unb64(c.old_sig)],
  "socp-revoke/1": (c) => [c.user_id, c.fingerprint, c.version, c.ts],
};

async function labelled(c, key) {
  const said = bytes(c.label, ...(await LABELLED[c.label](c)));
  const good = await signed(key, c.sig, unb64(c.preimage));
  const found = { holds: good && equal(said, unb64(c.preimage)) &&
      (await signed(key, c.sig, said)) };
  if (c.refused) return { refused: isOutOfBounds(c), holds: false };
  return found;
}

const isOutOfBounds = (c) =>
  ("ts" in c && !TS.test(String(c.ts))) || ("nonce" in c && unb64(c.nonce).length !== 32) ||
      ("version" in c && !(1 <= c.version && c.version <= 1000));

// --- session keys --------------------------------------------------------------------------------

const DAY_MS = 24 * 3600 * 1000, WINDOW_MS = 5 * 60 * 1000;
const OF_ONE_LINK = ["USER_DELIVER", "SERVER_DELIVER", "MSG_DIRECT", "MSG_PUBLIC_CHANNEL",
    "FILE_START", "FILE_CHUNK", "FILE_END", "ACK", "ERROR", "USER_LIST", "PUBKEY_RESPONSE",
    "HEARTBEAT", "SESSION_KEY"];
const FAST_SIG = /^ed:([A-Za-z0-9_-]{86})$/;

async function whyNot({ session, now, owner_id: owner }, key) {
  const raw = unb64(session.key), from = session.from_ts, until = session.until_ts;
  if (raw.length !== 32) return "BAD_KEY";
  if (![from, until].every((ts) => TS.test(String(ts)))) return "BAD_FRAME";
  const lasts = until > from && until - from <= DAY_MS;
  const isNow = from - WINDOW_MS <= now && now <= until + WINDOW_MS;
  const said = bytes("socp-session-key/1", owner, raw, from, until);
  return lasts && isNow && (await signed(key, session.sig, said)) ? false : "INVALID_SIG";
}

const FAST = {
  session: async (c, key) => ({ refused: await whyNot(c, key) }),
  async frame(c) {
    const [, sig] = FAST_SIG.exec(c.sig) ?? [];
    if (!sig || !OF_ONE_LINK.includes(c.type)) return { holds: false };
    const said = bytes("socp-frame/1", canonical(parse(c.payload)));
    return { holds: await signedFast(unb64(c.session_key), unb64(sig), said) };
  },
};

// --- logging in, safety numbers, keys ------------------------------------------------------------

const LOGIN = {
  async stretch(c) {
    const salt = await sha256("socp-stretch/1", c.user_id, c.server_id);
    const stretched = argon2id(bytes(c.password.normalize("NFC")), salt, 64 * 1024, 3, 4, 32);
    return { stretched: b64(stretched),
        exchange: b64(await hkdf(stretched, "socp-login/1 exchange")) };
  },
  async box(c) {
    const box = unb64(c.box), label = bytes("socp-key-box/1"), view = new DataView(box.buffer);
    if (box.length < 60 || !equal(box.subarray(0, label.length), label)) return { plaintext: null };
    const memory = view.getUint32(14), passes = view.getUint8(18), lanes = view.getUint8(19);
    if (memory < 64 * 1024 || memory > 1024 * 1024 || passes < 3 || passes > 10 || lanes < 1 ||
        lanes > 16) return { plaintext: null };
    const key = await hkdf(bytes(unb64(c.export_key), unb64(c.stretched)), "socp-key-box/1 key");
    const aad = bytes(box.subarray(0, 32), c.user_id, c.server_id);
    return { plaintext: text(await gcm(key, box.subarray(20), aad)) };
  },
  async request(c) {
    const line = await sha256(`${c.method} ${c.path}\n`);
    return { client_nonce: b64(await sha256("socp-request/1", unb64(c.salt), line,
        await sha256(unb64(c.body)))) };
  },
};

async function thirty(userId, fingerprint) {
  const key = unhex(fingerprint);
  let value = await sha512("socp-safety-number/1", userId, key);
  for (let round = 0; round < 5199; round += 1) value = await sha512(value, key);
  const group = (at) =>
      [...value.subarray(at, at + 5)].reduce((sum, byte) => sum * 256 + byte, 0) % 100_000;
  return [0, 5, 10, 15, 20, 25].map((at) => String(group(at)).padStart(5, "0")).join("");
}

async function safetyNumber(c) {
  const halves = [await thirty(c.user_id, c.fingerprint),
      await thirty(c.peer_id, c.peer_fingerprint)].sort();
  return { number: halves.join(""), qr: `socp:verify:1:${halves.join("")}` };
}

async function keyOnWire(c, key) {
  let verdict = "refuse";
  try { verdict = equal(keyText(c.text), key.der) ? "accept" : "another key"; } catch (fault) {
    if (!(fault instanceof Refused)) throw fault;
  }
  return { verdict: c.verdict === "either" && verdict !== "another key" ? "either" : verdict };
}

async function testKey(row) {
  const key = await keyPair(row);
  if (!equal(keyText(row.public_pem), key.der)) throw new Refused("two keys");
  return { fingerprint: hex(await sha256(key.der)) };
}

export const CRYPTO = {
  "keys/test-keys.json": testKey,
  "crypto/transport.json": transport,
  "crypto/content_sig.json": contentSig,
  "crypto/oaep.json": async (c, key) => ({ plaintext: text(await oaep(key, unb64(c.ciphertext))) }),
  "crypto/hybrid.json": hybrid,
  "crypto/channel_box.json": channelBox,
  "crypto/file_chunk.json": fileChunk,
  "crypto/labelled.json": labelled,
  "crypto/fast_sig.json": (c, key) => FAST[c.kind](c, key),
  "crypto/login.json": (c) => LOGIN[c.kind](c),
  "crypto/safety_number.json": safetyNumber,
  "crypto/key_text.json": keyOnWire,
};
