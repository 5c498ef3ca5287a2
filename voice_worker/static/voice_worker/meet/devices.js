// Which microphone and which camera: a choice for whoever has several.
import { keepFocus } from "../../switchboard/elements.js";

const { Room, RoomEvent } = window.LivekitClient;

/** Keeps the two lists beside the controls up to date; a list of one is no choice, and hidden. */
export class Devices {
  #lists;
  #onTrouble;
  #room = null;
  #wanted = new Map(); // kind -> id of the device that was chosen and isn't in use yet
  #switching = Promise.resolve();

  /**
   * @param lists `{audioinput, videoinput}`: a select each.
   * @param onTrouble told the error where a device can't be used.
   */
  constructor(lists, onTrouble) {
    this.#lists = lists;
    this.#onTrouble = onTrouble;
    for (const [kind, list] of Object.entries(lists)) list.addEventListener("change", () => this.#choose(kind, list.value));
  }

  /** Of this room from now on. */
  follow(room) {
    this.#room = room;
    // Browsers name devices only once one of them is in use.
    for (const event of [RoomEvent.LocalTrackPublished, RoomEvent.MediaDevicesChanged, RoomEvent.ActiveDeviceChanged]) room.on(event, () => this.#draw());
  }

  async #draw() {
    for (const [kind, list] of Object.entries(this.#lists)) {
      const found = (await Room.getLocalDevices(kind, false).catch(() => [])).filter((device) => device.label);
      const current = this.#room?.getActiveDevice(kind) ?? "default";
      const shown = this.#wanted.get(kind) ?? current;
      keepFocus(() => (list.hidden = found.length < 2), () => list.previousElementSibling);
      // Whoever has the list open would lose their place in it.
      const names = found.map((device) => device.deviceId).join();
      if (list.dataset.names !== names) list.replaceChildren(...found.map((device) => new Option(device.label, device.deviceId)));
      list.dataset.names = names;
      if (found.some((device) => device.deviceId === shown)) list.value = shown;
    }
  }

  /** One after the other, and never one that isn't wanted any more: arrow keys walk through a list faster. */
  #choose(kind, device) {
    this.#wanted.set(kind, device);
    this.#switching = this.#switching.then(() => this.#switch(kind, device));
  }

  async #switch(kind, device) {
    if (this.#wanted.get(kind) !== device) return;
    try {
      await this.#room?.switchActiveDevice(kind, device);
    } catch (error) {
      this.#onTrouble(error, kind === "audioinput" ? "mic" : "camera");
    }
    if (this.#wanted.get(kind) === device) this.#wanted.delete(kind);
    await this.#draw();
  }
}
