// A bot on the vendor's Node SDK: serves events, prints what it gets as a JSON line, and sends one message on request.
"use strict";

const http = require("node:http");
const readline = require("node:readline");
const lark = require("@larksuiteoapi/node-sdk");

const [appId, appSecret, domain, encryptKey, verificationToken] = process.argv.slice(2);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const quiet = { error() {}, warn() {}, info() {}, debug() {}, trace() {} };

const dispatcher = new lark.EventDispatcher({ encryptKey, verificationToken, logger: quiet }).register({
  "im.message.receive_v1": async (data) => {
    say({ kind: "message", id: data.message.message_id, text: JSON.parse(data.message.content).text });
    return {};
  },
  "card.action.trigger": async (data) => {
    say({ kind: "click", value: data.action.value, form: data.action.form_value });
    return { toast: { type: "success", content: "收到" } };
  },
});

const server = http.createServer(lark.adaptDefault("/feishu/events", dispatcher, { autoChallenge: true }));
server.listen(0, "127.0.0.1", () => say({ kind: "ready", port: server.address().port }));

const client = new lark.Client({ appId, appSecret, domain, logger: quiet });
readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const { chat, text } = JSON.parse(line);
  const answer = await client.im.v1.message.create({
    params: { receive_id_type: "chat_id" },
    data: { receive_id: chat, msg_type: "text", content: JSON.stringify({ text }) },
  });
  say({ kind: "sent", code: answer.code, id: answer.data.message_id });
});
