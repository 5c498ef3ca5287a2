"""What a voice worker elsewhere asks of the platform: six operations, by REST and in tRPC's shape."""
