// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ICredentialRegistry} from "../src/ICredentialRegistry.sol";
import {RegistryTest} from "./support/RegistryTest.sol";
import {Replay} from "./support/Replay.sol";
import {Vm} from "./support/Vm.sol";

contract RegisterIssuerTest is RegistryTest {
    function test_RevertWhen_TheDidIsEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidDid.selector, 0));
        registry.registerIssuer("");
    }

    function test_RevertWhen_TheDidHas2049Bytes() public {
        vm.expectRevert(abi.encodeWithSelector(ICredentialRegistry.InvalidDid.selector, 2049));
        registry.registerIssuer(string(new bytes(2049)));
    }

    function test_WhenTheDidHas2048Bytes() public {
        _registers(string(new bytes(2048)));
    }

    function test_WhenTheDidHasOneByte() public {
        _registers("d");
    }

    function test_GivenTheDidIsRegisteredAlready() public {
        _registers(DID);
        assertNotEq(registry.headOf(3), registry.headOf(ISSUER), "a new issuer has a head of its own");
        _expectIssuer(ISSUER, OWNER, address(0));
    }

    /// @dev Registers number 3 and looks at everything that it leaves.
    function _registers(string memory did) private {
        vm.recordLogs();
        vm.prank(OUTSIDER);
        assertEq(registry.registerIssuer(did), 3, "number");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32 didHash = keccak256(bytes(did));
        bytes32 head = Replay.first(block.chainid, address(registry), 3, OUTSIDER, didHash, block.timestamp);

        assertEq(logs.length, 2, "number of events");
        assertEq(logs[0].topics.length, 3, "topics of IssuerRegistered");
        assertEq(logs[0].topics[0], Replay.REGISTERED, "topic 0 of IssuerRegistered");
        assertEq(logs[0].topics[1], bytes32(uint256(3)), "topic 1 of IssuerRegistered");
        assertEq(logs[0].topics[2], _word(OUTSIDER), "topic 2 of IssuerRegistered");
        assertEq(logs[0].data, abi.encode(didHash, block.timestamp, head), "data of IssuerRegistered");
        assertEq(logs[1].topics.length, 2, "topics of IssuerDid");
        assertEq(logs[1].topics[0], Replay.DID, "topic 0 of IssuerDid");
        assertEq(logs[1].topics[1], bytes32(uint256(3)), "topic 1 of IssuerDid");
        assertEq(logs[1].data, abi.encode(did), "data of IssuerDid");

        (address owner, address pendingOwner, bytes32 gotHash, bytes32 gotHead) = registry.issuerOf(3);
        assertEq(owner, OUTSIDER, "owner");
        assertEq(pendingOwner, address(0), "pending owner");
        assertEq(gotHash, didHash, "DID hash");
        assertEq(gotHead, head, "head");
    }
}

contract IssuerCountTest is RegistryTest {
    function test_GivenTwoIssuersAreRegistered() public view {
        assertEq(registry.issuerCount(), 2, "count");
    }

    function test_GivenAnotherIssuerIsRegistered() public {
        registry.registerIssuer(DID);
        assertEq(registry.issuerCount(), 3, "count");
    }
}

contract IssuerOfTest is RegistryTest {
    function test_GivenTheIssuerIsUnknown() public view {
        (address owner, address pendingOwner, bytes32 didHash, bytes32 head) = registry.issuerOf(UNKNOWN);
        assertEq(owner, address(0), "owner");
        assertEq(pendingOwner, address(0), "pending owner");
        assertEq(didHash, 0, "DID hash");
        assertEq(head, 0, "head");
    }

    function test_GivenTheIssuerIsRegistered() public {
        vm.prank(OWNER);
        registry.transferOwnership(ISSUER, RELAYER);
        (address owner, address pendingOwner, bytes32 didHash, bytes32 head) = registry.issuerOf(ISSUER);
        assertEq(owner, OWNER, "owner");
        assertEq(pendingOwner, RELAYER, "pending owner");
        assertEq(didHash, keccak256(bytes(DID)), "DID hash");
        assertEq(head, registry.headOf(ISSUER), "head");
    }
}

contract HeadOfTest is RegistryTest {
    function test_GivenTheIssuerIsUnknown() public view {
        assertEq(registry.headOf(UNKNOWN), 0, "head");
        assertEq(registry.headOf(0), 0, "head");
    }

    function test_GivenTheIssuerHasAnEvent() public {
        bytes32 head = registry.headOf(ISSUER);
        bytes32 other = registry.headOf(OTHER);
        _anchor(ROOT, SIZE);
        assertNotEq(registry.headOf(ISSUER), head, "its head");
        assertEq(registry.headOf(OTHER), other, "the other head");
    }
}
