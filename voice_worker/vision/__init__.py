"""What a contact shows: frames of a shared screen and of a camera, from the room's tracks to the model's pictures."""
