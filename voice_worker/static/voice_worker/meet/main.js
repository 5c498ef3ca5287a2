// The meeting page: a lobby, a room, and what comes after.
import { element, keepFocus } from "../../switchboard/elements.js";
import { about, ask, inWriting, isGuest, joining, meetingNow, sentenceFor } from "./access.js";
import { Devices } from "./devices.js";
import { Captions, Stage, isAgent } from "./stage.js";
import { Thread } from "./thread.js";

const { Room, RoomEvent, Track, DisconnectReason, ConnectionErrorReason, ConnectionState, setLogLevel } = window.LivekitClient;
// How the connection fares is told on the page.
setLogLevel("silent");
const AGENT_PATIENCE = 5_000;
const GUEST_ASKS = 15_000; // no event tells a guest that the meeting is over; their leave to ask ends after ten minutes
const MOST_NEWS = 20;
const NEW_LINK = "Whoever invited you can send you a new link.";
const AGENT = {
  coming: "The agent is on its way …",
  busy: "All of this company's lines are taken. The agent comes as soon as one is free; you can write to it meanwhile.",
  late: "The agent hasn't come yet.",
  unavailable: "No agent could be found. You can write to it meanwhile.",
  gone: "The agent has left. You can write to it.",
};

const find = (name) => document.querySelector(`[data-${name}]`);
const page = find("meet");
const controls = { mic: find("mic"), camera: find("camera"), screen: find("screen") };
const stage = new Stage(find("tiles"));
const captions = new Captions(find("captions"));
const devices = new Devices({ audioinput: find("microphones"), videoinput: find("cameras") }, (error, what) => say(deviceSentence(error, what), "bad"));
let room = null;
let thread = null;
let agentTimer = 0;
let isOver = false;

function say(text, kind = "") {
  const place = find("status");
  place.textContent = text;
  place.className = `state ${kind}`.trim();
}

/** Tell whoever doesn't see it who comes and goes, and who is awaited. */
function announce(text) {
  const news = find("news");
  news.append(element("p", "", text));
  if (news.childElementCount > MOST_NEWS) news.firstChild.remove();
}

/** `loading`, `lobby`, `joining`, `in`, `reconnecting`, `left`, `over`, `failed`. */
function become(state, text, kind) {
  const inside = ["in", "reconnecting"].includes(state);
  const next = () => (inside ? controls.mic : state !== "over" ? find("join") : thread ? find("composer").querySelector("textarea") : find("closed"));
  keepFocus(() => {
    page.dataset.state = state;
    find("lobby").hidden = !["lobby", "joining", "left", "failed"].includes(state);
    find("room").hidden = !inside && !thread;
    find("controls").hidden = !inside;
    find("closed").hidden = state !== "over" || Boolean(thread);
  }, next);
  // Not `disabled`: whoever pressed it by keyboard stays on it while they wait.
  find("join").setAttribute("aria-disabled", String(state === "joining"));
  page.setAttribute("aria-busy", String(["loading", "joining"].includes(state)));
  if (text !== undefined) say(text, kind);
}

/** Nothing is left to do here. Whoever has a thread beside the room stays with that instead. */
function close(status, title, text, kind) {
  isOver = true;
  find("closed-title").textContent = title;
  find("closed-text").textContent = text;
  become("over", status, kind);
}

// --- before ----------------------------------------------------------------------------------------------------------

async function begin() {
  if (isGuest) {
    find("side").hidden = true;
    find("side-toggle").hidden = true;
    find("name").hidden = true;
    find("name-label").hidden = true;
    await askAsGuest();
    if (!isOver) become("lobby", "You are invited.");
    return;
  }
  try {
    const meeting = await ask(`/meetings/${about.meeting}`);
    find("recorded").hidden = !meeting.consents_to_recording;
    thread = new Thread(meeting.conversation, { thread: find("thread"), note: find("thread-note"), composer: find("composer") }, ended);
    thread.start();
    if (meeting.status === "ended") return over();
    become("lobby", meeting.status === "live" ? "The meeting has begun." : "Nobody is there yet.");
  } catch (error) {
    const isRefused = [401, 403, 404].includes(error.status);
    close(sentenceFor(error), isRefused ? "You can't come in" : "This page couldn't be opened", isRefused ? NEW_LINK : "Reload it to try again.", "bad");
  }
}

/** How the meeting stands, again and again. Whoever is in the room stays there, whatever their link is worth now. */
async function askAsGuest() {
  try {
    if ((await meetingNow()).status === "ended") return over();
  } catch (error) {
    if (error.status === 401 && room?.state !== ConnectionState.Connected) return close(sentenceFor(error), "You can't come in", NEW_LINK, "bad");
  }
  if (!isOver) setTimeout(askAsGuest, GUEST_ASKS);
}

function ended(meeting) {
  if (meeting === about.meeting) over();
}

function over() {
  if (isOver) return;
  close(inWriting("The meeting is over."), "The meeting is over", "You can close this page.");
  room?.disconnect();
}

async function join() {
  if (page.dataset.state === "joining") return;
  become("joining", "Joining …");
  let made = null;
  try {
    const { url, token } = await joining(find("name").value.trim());
    if (!url) throw new Error("There are no meetings here: the platform has no LiveKit server.");
    made = room = new Room({ adaptiveStream: true, dynacast: true });
    listen(made);
    devices.follow(made);
    await made.connect(url, token);
  } catch (error) {
    console.warn(error);
    made?.disconnect();
    if (isOver) return;
    if (isGuest && error.reason === ConnectionErrorReason.NotAllowed) return close("This link doesn't let you in any more. Ask for a new one.", "You can't come in", NEW_LINK, "bad");
    const text = made ? "The meeting server can't be reached. Try again." : sentenceFor(error);
    find("join").textContent = "Try again";
    return become("failed", text, "bad");
  }
  become("in", "You are in the meeting.", "good");
  find("join").textContent = "Join again";
  stage.show(made.localParticipant);
  for (const person of made.remoteParticipants.values()) welcome(person);
  lookForAgent();
  hearing(made);
  if (find("start-mic").checked) await toggle("mic", true);
}

// --- in the room -----------------------------------------------------------------------------------------------------

function listen(room) {
  const draw = (person) => person && page.dataset.state !== "left" && stage.show(person);
  room
    .on(RoomEvent.ParticipantConnected, (person) => {
      announce(`${calledNow(person)} has come.`);
      welcome(person);
    })
    .on(RoomEvent.ParticipantDisconnected, (person) => {
      announce(`${calledNow(person)} has left.`);
      stage.remove(person);
      lookForAgent();
    })
    .on(RoomEvent.ActiveSpeakersChanged, () => everybody().forEach(draw))
    .on(RoomEvent.ParticipantAttributesChanged, (_, person) => draw(person))
    .on(RoomEvent.ParticipantNameChanged, (_, person) => draw(person))
    .on(RoomEvent.TrackMuted, (_, person) => draw(person))
    .on(RoomEvent.TrackUnmuted, (_, person) => draw(person))
    .on(RoomEvent.TrackSubscribed, (track, publication, person) => {
      if (track.kind === Track.Kind.Audio) {
        const node = track.attach();
        node.dataset.of = person.identity;
        document.body.append(node);
      }
      draw(person);
    })
    .on(RoomEvent.TrackUnsubscribed, (track, publication, person) => {
      track.detach().forEach((node) => node.remove());
      draw(person);
    })
    .on(RoomEvent.LocalTrackPublished, () => (draw(room.localParticipant), lamps()))
    .on(RoomEvent.LocalTrackUnpublished, () => (draw(room.localParticipant), lamps()))
    .on(RoomEvent.MediaDevicesError, (error) => say(deviceSentence(error), "bad"))
    .on(RoomEvent.AudioPlaybackStatusChanged, () => hearing(room))
    .on(RoomEvent.SignalReconnecting, () => become("reconnecting", "Connection lost. Reconnecting …", "bad"))
    .on(RoomEvent.Reconnecting, () => become("reconnecting", "Connection lost. Reconnecting …", "bad"))
    .on(RoomEvent.Reconnected, () => become("in", "You are back in the meeting.", "good"))
    .on(RoomEvent.Disconnected, gone);
  room.registerTextStreamHandler("lk.transcription", (reader, sender) => caption(room, reader, sender));
}

const calledNow = (person) => person.name || (isAgent(person) ? "The agent" : "Somebody"); // an agent says its name once it is in
const everybody = () => (room ? [room.localParticipant, ...room.remoteParticipants.values()] : []);

/** Browsers let a page sound once somebody has pressed something on it. */
function hearing(room) {
  keepFocus(() => (find("sound").hidden = room.canPlaybackAudio), () => controls.mic);
}

function welcome(person) {
  stage.show(person);
  lookForAgent();
}

/** Whoever waits for the agent is told so, and when none can be found. */
function lookForAgent() {
  clearTimeout(agentTimer);
  const place = find("alone");
  const here = room?.state === ConnectionState.Connected && [...room.remoteParticipants.values()].some(isAgent);
  place.hidden = here || room?.state !== ConnectionState.Connected;
  if (place.hidden) {
    place.textContent = "";
    return;
  }
  tellOfAgent("coming");
  agentTimer = setTimeout(askForAgent, AGENT_PATIENCE);
}

/** The meeting knows whether an agent is still called, or whether it waits for a free line. */
async function askForAgent() {
  const asked = room;
  let state = "late";
  try {
    const meeting = await meetingNow();
    if (meeting.status === "ended" && asked === room) return over();
    state = meeting.agent;
  } catch {
    // The next time, then.
  }
  if (asked !== room || find("alone").hidden) return;
  tellOfAgent(state);
  agentTimer = setTimeout(askForAgent, AGENT_PATIENCE);
}

/** Guests have nowhere to write. */
function tellOfAgent(state) {
  const sentence = AGENT[state] ?? AGENT.coming;
  const text = isGuest ? sentence.replace(/[;.] [Yy]ou can write to it( meanwhile)?\.$/, ".") : sentence;
  // What is said again would be read out again.
  if (find("alone").textContent === text) return;
  find("alone").textContent = text;
  announce(text);
}

async function caption(room, reader, sender) {
  const attributes = reader.info.attributes ?? {};
  const person = room.getParticipantByIdentity(sender.identity);
  const who = !person ? "" : person.isLocal ? "You:" : `${person.name || "Agent"}:`;
  const segment = attributes["lk.segment_id"] ?? reader.info.id;
  let text = "";
  try {
    for await (const piece of reader) {
      text += piece;
      captions.put(segment, who, text, false);
    }
  } catch {
    return; // The room ended in the middle of a word.
  }
  // What the agent says comes in one stream; of what a person says each better guess is a stream of its own.
  captions.put(segment, who, text, (person && isAgent(person)) || attributes["lk.transcription_final"] !== "false");
}

function gone(reason) {
  clearTimeout(agentTimer);
  stage.clear();
  captions.clear();
  find("alone").hidden = true;
  find("alone").textContent = "";
  if (isOver) return;
  if (reason === DisconnectReason.ROOM_DELETED || reason === DisconnectReason.ROOM_CLOSED) return over();
  if (reason === DisconnectReason.DUPLICATE_IDENTITY) return become("left", "You joined in another window; this one has left.");
  if (reason === DisconnectReason.CLIENT_INITIATED) {
    if (page.dataset.state !== "failed") become("left", inWriting("You have hung up."));
    return;
  }
  if (reason === DisconnectReason.PARTICIPANT_REMOVED) {
    if (isGuest) return close("You were removed from the meeting.", "You were removed from the meeting", NEW_LINK, "bad");
    return become("left", "You were removed from the meeting.", "bad");
  }
  become("left", "The connection to the meeting was lost.", "bad");
}

// --- controls --------------------------------------------------------------------------------------------------------

const deeds = {
  mic: (person, on) => person.setMicrophoneEnabled(on),
  camera: (person, on) => person.setCameraEnabled(on),
  screen: (person, on) => person.setScreenShareEnabled(on, { audio: false }),
};
const isOn = {
  mic: (person) => person.isMicrophoneEnabled,
  camera: (person) => person.isCameraEnabled,
  screen: (person) => person.isScreenShareEnabled,
};

async function toggle(what, on) {
  const person = room?.localParticipant;
  if (!person || controls[what].getAttribute("aria-disabled") === "true") return;
  controls[what].setAttribute("aria-disabled", "true");
  try {
    await deeds[what](person, on ?? !isOn[what](person));
    if (page.dataset.state === "in") say("You are in the meeting.", "good");
  } catch (error) {
    say(deviceSentence(error, what), "bad");
  }
  controls[what].removeAttribute("aria-disabled");
  lamps();
  stage.show(person);
}

function lamps() {
  const person = room?.localParticipant;
  for (const what of Object.keys(controls)) controls[what].setAttribute("aria-pressed", String(Boolean(person && isOn[what](person))));
}

function deviceSentence(error, what = "mic") {
  const device = { mic: "microphone", camera: "camera", screen: "screen" }[what];
  if (error?.name === "NotAllowedError") return what === "screen" ? "Nothing is shared." : `Your browser doesn't let this page use the ${device}. Allow it beside the address and try again.`;
  if (error?.name === "NotFoundError") return `There is no ${device}.`;
  if (error?.name === "NotReadableError") return `The ${device} is in use by another program.`;
  if (!navigator.mediaDevices) return `A ${device} needs https, or localhost.`;
  return `The ${device} can't be used.`;
}

async function leave() {
  const last = room && ![...room.remoteParticipants.values()].some((person) => !isAgent(person));
  become("left", inWriting("You have hung up."));
  await room?.disconnect();
  room = null;
  lamps();
  // Nobody is left but the agent: it needn't wait for us.
  if (last && !isGuest) ask(`/meetings/${about.meeting}/end`, { method: "POST" }).catch(() => {});
}

function press(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  return on;
}

find("join").addEventListener("click", join);
find("name").addEventListener("keydown", (event) => event.key === "Enter" && join());
for (const what of Object.keys(controls)) controls[what].addEventListener("click", () => toggle(what));
find("captions-toggle").addEventListener("click", () => (find("captions").hidden = !press(find("captions-toggle"))));
find("side-toggle").addEventListener("click", () => {
  const toggle = find("side-toggle");
  keepFocus(() => (find("side").hidden = !press(toggle)), () => toggle);
});
find("sound").addEventListener("click", () => room?.startAudio());
find("leave").addEventListener("click", leave);

const keys = { m: "mic", v: "camera", s: "screen", c: "captions-toggle", t: "side-toggle", h: "leave" };
document.addEventListener("keydown", (event) => {
  const writes = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (writes || event.ctrlKey || event.metaKey || event.altKey || event.repeat || find("controls").hidden) return;
  const button = keys[event.key.toLowerCase()] && find(keys[event.key.toLowerCase()]);
  if (!button || button.hidden) return;
  event.preventDefault();
  button.click();
});
addEventListener("pagehide", () => room?.disconnect());

begin();
