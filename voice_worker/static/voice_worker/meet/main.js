// The meeting page: a lobby, a room, and what comes after.
import { about, ask, isGuest, joining, meetingNow, sentenceFor } from "./access.js";
import { Devices } from "./devices.js";
import { Captions, Stage, isAgent } from "./stage.js";
import { Thread } from "./thread.js";

const { Room, RoomEvent, Track, DisconnectReason, ConnectionState, setLogLevel } = window.LivekitClient;
// How the connection fares is told on the page.
setLogLevel("silent");
const AGENT_PATIENCE = 5_000;
const GUEST_RENEWS = 240_000; // a guest's leave to ask ends after ten minutes
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

/** `loading`, `lobby`, `joining`, `in`, `reconnecting`, `left`, `over`, `failed`. */
function become(state, text, kind) {
  page.dataset.state = state;
  const inside = ["in", "reconnecting"].includes(state);
  find("lobby").hidden = !["lobby", "joining", "left", "failed"].includes(state);
  find("room").hidden = !inside && !thread;
  find("controls").hidden = !inside;
  find("join").disabled = state === "joining";
  page.setAttribute("aria-busy", String(["loading", "joining"].includes(state)));
  if (text !== undefined) say(text, kind);
}

// --- before ----------------------------------------------------------------------------------------------------------

async function begin() {
  if (isGuest) {
    find("side").hidden = true;
    find("side-toggle").hidden = true;
    find("name").hidden = true;
    find("name-label").hidden = true;
    setInterval(() => page.dataset.state === "in" && meetingNow().catch(() => {}), GUEST_RENEWS);
    try {
      if ((await meetingNow()).status === "ended") return over();
    } catch (error) {
      if (error.status === 401) return become("over", sentenceFor(error), "bad");
    }
    return become("lobby", "You are invited.");
  }
  try {
    const meeting = await ask(`/meetings/${about.meeting}`);
    find("recorded").hidden = !meeting.consents_to_recording;
    thread = new Thread(meeting.conversation, { thread: find("thread"), note: find("thread-note"), composer: find("composer") }, ended);
    thread.start();
    if (meeting.status === "ended") return over();
    become("lobby", meeting.status === "live" ? "The meeting has begun." : "Nobody is there yet.");
  } catch (error) {
    become("over", sentenceFor(error), "bad");
  }
}

function ended(meeting) {
  if (meeting === about.meeting) over();
}

function over() {
  isOver = true;
  room?.disconnect();
  become("over", "The meeting is over. The conversation goes on in writing.");
}

async function join() {
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
    const text = made ? "The meeting server can't be reached. Try again." : sentenceFor(error);
    find("join").textContent = "Try again";
    return become("failed", text, "bad");
  }
  become("in", "You are in the meeting.", "good");
  find("join").textContent = "Join again";
  stage.show(made.localParticipant);
  for (const person of made.remoteParticipants.values()) welcome(person);
  lookForAgent();
  find("sound").hidden = made.canPlaybackAudio;
  if (find("start-mic").checked) await toggle("mic", true);
  controls.mic.focus({ preventScroll: true });
}

// --- in the room -----------------------------------------------------------------------------------------------------

function listen(room) {
  const draw = (person) => person && page.dataset.state !== "left" && stage.show(person);
  room
    .on(RoomEvent.ParticipantConnected, welcome)
    .on(RoomEvent.ParticipantDisconnected, (person) => {
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
    .on(RoomEvent.AudioPlaybackStatusChanged, () => (find("sound").hidden = room.canPlaybackAudio))
    .on(RoomEvent.SignalReconnecting, () => become("reconnecting", "Connection lost. Reconnecting …", "bad"))
    .on(RoomEvent.Reconnecting, () => become("reconnecting", "Connection lost. Reconnecting …", "bad"))
    .on(RoomEvent.Reconnected, () => become("in", "You are back in the meeting.", "good"))
    .on(RoomEvent.Disconnected, gone);
  room.registerTextStreamHandler("lk.transcription", (reader, sender) => caption(room, reader, sender));
}

const everybody = () => (room ? [room.localParticipant, ...room.remoteParticipants.values()] : []);

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
  if (place.hidden) return;
  place.textContent = AGENT.coming;
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
  find("alone").textContent = agentSentence(state);
  agentTimer = setTimeout(askForAgent, AGENT_PATIENCE);
}

/** Guests have nowhere to write. */
function agentSentence(state) {
  const sentence = AGENT[state] ?? AGENT.coming;
  return isGuest ? sentence.replace(/[;.] [Yy]ou can write to it( meanwhile)?\.$/, ".") : sentence;
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
  if (isOver) return;
  if (reason === DisconnectReason.ROOM_DELETED || reason === DisconnectReason.ROOM_CLOSED) return over();
  if (reason === DisconnectReason.DUPLICATE_IDENTITY) return become("left", "You joined in another window; this one has left.");
  if (reason === DisconnectReason.CLIENT_INITIATED) {
    if (page.dataset.state !== "failed") become("left", "You have hung up. The conversation goes on in writing.");
    return;
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
  if (!person) return;
  controls[what].disabled = true;
  try {
    await deeds[what](person, on ?? !isOn[what](person));
    if (page.dataset.state === "in") say("You are in the meeting.", "good");
  } catch (error) {
    say(deviceSentence(error, what), "bad");
  }
  controls[what].disabled = false;
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
  become("left", "You have hung up. The conversation goes on in writing.");
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
find("side-toggle").addEventListener("click", () => (find("side").hidden = !press(find("side-toggle"))));
find("sound").addEventListener("click", () => room?.startAudio());
find("leave").addEventListener("click", leave);

const keys = { m: "mic", v: "camera", s: "screen", c: "captions-toggle", t: "side-toggle", h: "leave" };
document.addEventListener("keydown", (event) => {
  const writes = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (writes || event.ctrlKey || event.metaKey || event.altKey || event.repeat || find("controls").hidden) return;
  const button = keys[event.key.toLowerCase()] && find(keys[event.key.toLowerCase()]);
  if (!button || button.hidden || button.disabled) return;
  event.preventDefault();
  button.click();
});
addEventListener("pagehide", () => room?.disconnect());

begin();
