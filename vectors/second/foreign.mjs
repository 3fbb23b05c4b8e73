// Section 13: what others send, as section 1 to 11 would have it.

import { canonical, reread } from "./json.mjs";

const TYPES = {
  LIST_REQUEST: ["USER_LIST_REQ", "USER_LIST_REQUEST", "CMD_LIST", "LIST", "CTRL_LIST", "WHO"],
  SERVER_HELLO_LINK: ["PEER_HELLO_LINK"], PUBKEY_REQUEST: ["GET_PUBKEY"],
      USER_LIST: ["LIST_RESPONSE"], ACK: ["USER_WELCOME"],
  FILE_START: ["USER_FILE_START", "SERVER_FILE_START"],
      FILE_CHUNK: ["USER_FILE_CHUNK", "SERVER_FILE_CHUNK"],
  FILE_END: ["USER_FILE_END", "SERVER_FILE_END"],
};
const NAMES = {
  ACK: { pubkey: ["server_pub"] }, SERVER_WELCOME: { pubkey: ["server_pub"] },
      USER_LIST: { users: ["online_users"] },
  USER_DELIVER: { orig_ts: ["msg_ts", "cts", "original_ts"] },
      SERVER_DELIVER: { orig_ts: ["msg_ts", "cts", "original_ts"] },
};
const ALWAYS = {
  USER_LIST: { users: [], online: [] }, SERVER_WELCOME: { clients: [], servers: [] },
      PUBKEY_RESPONSE: { version: 1 },
  PUBLIC_CHANNEL_KEY_SHARE: { version: 1 }, FILE_START: { mode: "dm" },
};
const META = ["display_name", "pubkey"];
const DELIVERED = ["user_id", "sender", "sender_pub", "ciphertext", "content_sig", "orig_ts",
    "inner_type"];
const only = (said, names) =>
    Object.fromEntries(Object.entries(said).filter(([name]) => names.includes(name)));

const REWRITTEN = {
  ACK(said, type) {
    if (type === "USER_WELCOME" || said.msg_ref === "USER_HELLO_OK") said.msg_ref = "USER_HELLO";
  },
  USER_ADVERTISE(said) {
    said.meta = only(said.meta, META);
  },
  PUBLIC_CHANNEL_KEY_SHARE(said) {
    said.shares = said.shares.map(({ member, ...row }) =>
        ({ member, wrapped_public_channel_key: row.wrapped_public_channel_key ?? row.wrapped }));
  },
  SERVER_WELCOME(said) {
    const { clients, servers = [], snapshot } = said;
    const rows = clients ?? Object.entries(snapshot?.user_locations ?? {}).map(([user_id,
        server_id]) => ({ user_id, host: "", port: 0, pubkey: "", server_id }));
    said.servers = [...servers, ...rows.filter((row) => !("user_id" in row))];
    said.clients = rows.filter((row) => "user_id" in row);
    delete said.snapshot;
  },
};

export function understood(c) {
  const is = Object.keys(TYPES).find((type) => TYPES[type].includes(c.type)) ?? c.type;
  const said = structuredClone(c.payload);
  for (const [name, others] of Object.entries(NAMES[is] ?? {})) {
    const found = [name, ...others].find((other) => other in said);
    if (found) said[name] = said[found];
    for (const other of others) delete said[other];
  }
  REWRITTEN[is]?.(said, c.type);
  const members = { ...ALWAYS[is], ...(is === "SERVER_DELIVER" ? only(said, DELIVERED) : said) };
  const same = canonical(reread(members)) === canonical(reread(c.members));
  return { is, members: same ? c.members : members };
}

export const FOREIGN =
    { "foreign/types.json": understood, "foreign/members.json": understood,
    "foreign/welcome.json": understood };
