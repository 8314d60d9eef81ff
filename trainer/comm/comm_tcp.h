#ifndef LUCIE_TRAINER_COMM_COMM_TCP_H
#define LUCIE_TRAINER_COMM_COMM_TCP_H
/*
 * Data over TCP between the members of a group: one connection for each pair and plane, made when it
 * is first used. The higher rank connects, the lower one's control plane lets it in.
 */
#include "trainer/comm/transport.h"

extern const struct lt_transport lt_tcp_transport;

#endif
