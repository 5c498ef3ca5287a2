// Who is there and what they show, and what is said as captions.
import { element } from "../../switchboard/elements.js";

const { Track } = window.LivekitClient;
const AGENT_STATES = { initializing: "getting ready", idle: "idle", listening: "listening", thinking: "thinking", speaking: "speaking" };
const CAPTION_LIFE = 8_000;
const MOST_CAPTIONS = 3;
const MOST_CHARACTERS = 180;

export const isAgent = (participant) => participant.isAgent || participant.identity.startsWith("agent-");

/** The tiles: one a person, and one for each screen that is shared. */
export class Stage {
  #tiles = new Map(); // key -> {node, name, state, video}

  constructor(root) {
    this.root = root;
  }

  clear() {
    for (const { node } of this.#tiles.values()) node.remove();
    this.#tiles.clear();
    for (const audio of document.querySelectorAll("audio[data-of]")) audio.remove();
  }

  /** Draw one person anew. */
  show(participant) {
    const tile = this.#tile(participant.identity, "");
    const own = participant.isLocal ? " (you)" : "";
    tile.name.textContent = `${participant.name || (isAgent(participant) ? "Agent" : participant.identity)}${own}`;
    tile.node.classList.toggle("speaking", participant.isSpeaking);
    tile.node.classList.toggle("agent", isAgent(participant));
    const microphone = participant.getTrackPublication(Track.Source.Microphone);
    const muted = !microphone || microphone.isMuted;
    const state = participant.attributes?.["lk.agent.state"];
    tile.state.textContent = isAgent(participant) ? (AGENT_STATES[state] ?? "") : muted ? "microphone off" : "";
    this.#picture(tile, participant.getTrackPublication(Track.Source.Camera), participant.isLocal);
    const screen = participant.getTrackPublication(Track.Source.ScreenShare);
    if (screen?.track) {
      const shared = this.#tile(participant.identity, ":screen");
      shared.node.classList.add("screen");
      shared.name.textContent = `${tile.name.textContent}: screen`;
      this.#picture(shared, screen, false);
    } else this.#drop(`${participant.identity}:screen`);
  }

  remove(participant) {
    this.#drop(participant.identity);
    this.#drop(`${participant.identity}:screen`);
  }

  #tile(identity, suffix) {
    const key = identity + suffix;
    let tile = this.#tiles.get(key);
    if (!tile) {
      const name = element("span", "who");
      const state = element("span", "how");
      const node = element("div", "tile", element("div", "label", name, state));
      node.setAttribute("role", "listitem");
      tile = { node, name, state, video: null };
      this.#tiles.set(key, tile);
      if (suffix) this.root.prepend(node);
      else this.root.append(node);
    }
    return tile;
  }

  #picture(tile, publication, mirrored) {
    const track = publication && !publication.isMuted ? publication.track : null;
    if (tile.video?.track === track) return;
    tile.video?.node.remove();
    tile.video = null;
    tile.node.classList.toggle("with-picture", Boolean(track));
    if (!track) return;
    const node = track.attach();
    node.muted = true;
    node.playsInline = true;
    node.classList.toggle("mirrored", mirrored);
    tile.node.prepend(node);
    tile.video = { track, node };
  }

  #drop(key) {
    this.#tiles.get(key)?.node.remove();
    this.#tiles.delete(key);
  }
}

/** What of a long text was said last: a caption is read while somebody speaks on. */
function latest(text) {
  if (text.length <= MOST_CHARACTERS) return text;
  const end = text.slice(-MOST_CHARACTERS);
  return `… ${end.slice(end.indexOf(" ") + 1)}`;
}

/** The last things that were said, each for some seconds after it is whole. */
export class Captions {
  #lines = new Map(); // segment -> {node, words, timer}

  constructor(root) {
    this.root = root;
  }

  /** Say what a segment is by now. */
  put(segment, who, text, isFinal) {
    if (!text.trim()) return;
    let line = this.#lines.get(segment);
    if (!line) {
      const words = element("span", "words");
      line = { node: element("p", "caption", element("strong", "", who), " ", words), words };
      this.#lines.set(segment, line);
      this.root.append(line.node);
      while (this.#lines.size > MOST_CAPTIONS) this.#drop(this.#lines.keys().next().value);
    }
    line.words.textContent = latest(text);
    line.node.classList.toggle("passing", !isFinal);
    clearTimeout(line.timer);
    line.timer = setTimeout(() => this.#drop(segment), CAPTION_LIFE);
  }

  clear() {
    for (const segment of [...this.#lines.keys()]) this.#drop(segment);
  }

  #drop(segment) {
    const line = this.#lines.get(segment);
    if (!line) return;
    clearTimeout(line.timer);
    line.node.remove();
    this.#lines.delete(segment);
  }
}
