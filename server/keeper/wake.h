/* Wake-on-LAN: the magic packet (AMD's white paper 20213, 1995: six bytes of 0xff, then the address
 * of the network card sixteen times), in UDP to where a sleeping machine's card hears it: the
 * broadcast address of its network. */
#pragma once

#include "addr.h"
#include "conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAKE_MAC_SIZE 6
#define WAKE_PACKET_SIZE 102

/* "aa:bb:cc:dd:ee:ff"; false for anything else. */
bool wake_mac(uint8_t to[WAKE_MAC_SIZE], const char *text);
void wake_packet(uint8_t to[WAKE_PACKET_SIZE], const uint8_t mac[WAKE_MAC_SIZE]);

/* IPv4 addresses and masks in network byte order: whether the machine lies in the network. */
bool wake_near(uint32_t interface, uint32_t mask, uint32_t machine);

/* Sends one packet to each of [dial] wake_broadcast, or else to the broadcast address of every
 * network of this machine's that one of `addresses` lies in. Returns how many were sent; 0: there
 * was nowhere to send to. */
size_t wake_send(const struct conf *conf, const uint8_t mac[WAKE_MAC_SIZE],
                 const struct addr *addresses, size_t count);
