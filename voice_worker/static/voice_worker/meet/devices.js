// Which microphone and which camera: a choice for whoever has several.
const { Room, RoomEvent } = window.LivekitClient;

/** Keeps the two lists beside the controls up to date; a list of one is no choice, and hidden. */
export class Devices {
  #lists;
  #onTrouble;
  #room = null;

  /**
   * @param lists `{audioinput, videoinput}`: a select each.
   * @param onTrouble told the error where a device can't be used.
   */
  constructor(lists, onTrouble) {
    this.#lists = lists;
    this.#onTrouble = onTrouble;
    for (const [kind, list] of Object.entries(lists)) list.addEventListener("change", () => this.#choose(kind, list));
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
      list.hidden = found.length < 2;
      // Whoever has the list open would lose their place in it.
      const names = found.map((device) => device.deviceId).join();
      if (list.dataset.names !== names) list.replaceChildren(...found.map((device) => new Option(device.label, device.deviceId)));
      list.dataset.names = names;
      if (found.some((device) => device.deviceId === current)) list.value = current;
    }
  }

  async #choose(kind, list) {
    list.disabled = true;
    try {
      await this.#room?.switchActiveDevice(kind, list.value);
    } catch (error) {
      this.#onTrouble(error, kind === "audioinput" ? "mic" : "camera");
    }
    list.disabled = false;
    await this.#draw();
  }
}
